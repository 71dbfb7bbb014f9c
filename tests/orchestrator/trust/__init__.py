"""How far agents are believed."""
