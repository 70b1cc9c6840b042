"""The studio: one page, and what it asks of the server over HTTP.

`page` has its routes; `events`, `films` and `all_series` are what its three panels ask; `templates`
and `static` are what a browser gets.
"""
