"""Cameras and clips for the tests of streams."""

from tests.rtsp.camera import gstreamer, locked_rtsp_camera, rtsp_camera

__all__ = ["gstreamer", "locked_rtsp_camera", "rtsp_camera"]
