"""Instruments in a process of their own, next to the cable.

A host (`server.serve`, ``sdlab host``) carries out commands whether or not anybody listens, and
keeps what it accepted and how it ended in a durable log. The client (`client.HostedInstrument`)
is an `Instrument` that can be asked what became of a command: whatever happens to the process
that runs a campaign, and whichever driver stands behind the host.

=============  ===================================================================
`wire`         records ⇄ JSON, arrays bit for bit
`arrays`       the arrays of a command log
`log`          the durable, append-only record of commands and fences
`station`      one hosted instrument: once-only execution by the log
`security`     addresses that may be used, the shared token
`application`  the routes
`server`       `serve`: start, stop, leave instruments safe
`line`         the client's transport: close, reopen, verify who is there
`client`       `HostedInstrument`
=============  ===================================================================
"""
