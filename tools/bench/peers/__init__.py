"""Vigie beside what others build the same from: the same streams, the same network, the same analysed rate."""
