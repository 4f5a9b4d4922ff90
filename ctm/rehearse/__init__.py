"""A dress rehearsal of Control-M folders: it runs their jobs here and now, by the folder's rules.

It is no scheduler: it knows no calendars and no times of day, and one run is all it does.
Definitions become a frozen `plan`; `schedule` decides what starts and what follows from an end,
as a pure function; `stage` lets the runners do it and shows it.
"""
