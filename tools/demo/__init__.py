"""`vigie demo`: a clip that comes with Vigie, played to recorded events."""
