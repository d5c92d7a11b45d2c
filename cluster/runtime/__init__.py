"""Actors on Ray around the cores of the other packages. The only place that imports ray."""
