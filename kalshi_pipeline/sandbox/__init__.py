"""Our own exchange: an app that speaks the Trade API over a world, for work without a network and for tests.

Here: worlds (recorded or simulated), the clock that decides what the exchange knows, the wire format, faults and the
server. Not here: the client, and anything about distributions or repair. Only tests, the command line and the one
Dagster resource that starts the server may import this package.
"""
