"""A workflow tried under a virtual clock: the same engine, the same gate, nobody touched.

plan        whom, from when, how long, and what people do (pure)
people      one simulated person, their mails and their timeline (pure)
course      the virtual clock: events, steps and mails in the order of their time (pure)
trying      the graph that is tried, and on whom
knowledge   what segments and dates may ask of known people
world       what the course asks: consent, segments, templates; read once, written never
figures     counts by step, refusals, warnings (pure)
promises    what must hold of a result, kept with the workflow (pure)
keeping     the record of simulations, in the background with progress
"""
