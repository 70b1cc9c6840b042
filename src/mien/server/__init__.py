"""The HTTP API, and what the studio's page works with: a call in, an Editor call, an answer out.

`serve.run` starts it; `api` is the API; what is open on a page is a `sitting`, a `reel` or a
`series`. All ask one `workshop`, which works on one thing at a time. Only this package and `studio`
know the web framework.
"""
