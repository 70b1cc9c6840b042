"""The app in the browser and the HTTP API: a call in, an Editor call, an answer out.

The only room that knows the web framework. `serve.run` starts it; `api` is the API, `studio` the
app; both ask one `workshop`, which works on one thing at a time.
"""
