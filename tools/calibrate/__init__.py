"""`vigie calibrate`: proposes a camera's ground plane from the people that it sees."""
