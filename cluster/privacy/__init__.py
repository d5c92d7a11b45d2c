"""Makes people unrecognisable in whatever leaves the camera's process."""
