"""The router: the process before an online endpoint's deployments.

    python -m amlocal.local.endpoints.router --fd N --control M

It serves a listening socket that it is given, and follows a table that it is sent (`control`,
`table`): who may ask (`auth`), which deployment answers (`routing`, `routes`), and which instances
a deployment has (`deployments`). A request runs through `server`, `app`, `scoring`, and `upstream`;
beside it, copies go to other deployments (`mirror`), and data is kept (`collector`).
"""
