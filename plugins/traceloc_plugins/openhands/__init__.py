"""OpenHands: trajectories of V0, and the event folders of the V1 agent SDK."""
