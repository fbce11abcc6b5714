"""Answers: what people write back, the inbox where staff read it, and the letters they answer by.

taking.take(message, Words("..."), way="portal", now=now)       from the portal or the mailbox
reading.opened(answers)                                          for who may read; into the trail
letters.write(answer, "...", purpose="treatment", now=now)       through the gate and the outbox
"""
