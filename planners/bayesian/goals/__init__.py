"""What a campaign may want besides an optimum: borders, maps, robust tops, cheap answers, taste.

Every goal here is a score of candidate points, computed in numpy from the surrogates' posterior and
searched by `pool`. Only prices upon a front need torch, and import it then.
"""
