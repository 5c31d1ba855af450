"""What notebooks show of pipelines and runs: one piece of HTML that needs nothing else, and text where there is none.

`graph` reads and places, `progress` counts, `page` and `plots` write.
"""
