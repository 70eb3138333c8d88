"""Live results: what becomes of jobs, told by Server-Sent Events and by WebSocket while it happens.

    delivery.listening   one connection to Postgres hears of every change in a thread
    changes              notes which of them somebody follows
    reading              reads the rows of those, many at once, however many follow each
    rights               looks whether those who follow still may
    hub                  who follows what, and how many may; one for each process
    follower             what one stream has still to send; of a job in a list the latest state alone
    streams, consumer    a stream as Server-Sent Events, as WebSocket

A notification is a hint and a stream is never the truth: rows are read again now and then, and whoever lost a stream
opens another and gets the state as it is.
"""
