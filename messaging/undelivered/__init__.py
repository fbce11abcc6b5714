"""What could not be delivered and said something of a person: found, verified, sent again by hand.

The non-delivery protocol of explanations of benefits and the like: find the cause, do not resend to
a changed address by itself, verify by another channel, write it down, then send again or reach the
person by other means.
"""
