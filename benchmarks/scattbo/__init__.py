"""ScattBO's laboratory and scoreboard: gold clusters judged by how they scatter."""
