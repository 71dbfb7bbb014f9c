"""One laboratory, many campaigns, many processes: whose turn it is, and who runs what."""
