"""Physics shared by the techniques."""
