"""Frames to detections: model packs, sessions and batches."""
