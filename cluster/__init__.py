"""What runs on Ray: cameras in, signals out."""
