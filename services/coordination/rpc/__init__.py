"""The gRPC face of the service: one servicer per service."""
