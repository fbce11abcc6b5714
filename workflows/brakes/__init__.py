"""What stops a workflow that runs away: a ceiling for each person, and a brake on its rates.

ceiling    so many messages of all workflows together for one person within 24 hours
brake      so many entries, so many messages of one workflow within an hour of the clock; what is
           more pauses it, before anybody of the turn in hand is touched, and says why
"""
