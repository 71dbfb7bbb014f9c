"""Laboratory files, the instruments they name, and whether a campaign fits them."""
