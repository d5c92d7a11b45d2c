"""Detections to tracks, by motion alone and in seconds."""
