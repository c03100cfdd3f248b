"""The systems of the simulated agencies, one file each: services and volumes, the shape of a row, and the protocol."""
