"""Trust: how far each agent's word has held in a campaign, and what follows from it.

Pure functions over what was said and what turned out to be true, so that a resumed campaign and a
replay come to the same trust.
"""
