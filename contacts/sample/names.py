"""Common names and places of which invented people are made."""

from __future__ import annotations

FEMALE = (
    "Maria", "Linda", "Patricia", "Susan", "Deborah", "Barbara", "Karen", "Nancy", "Donna",
    "Sandra", "Carol", "Ruth", "Sharon", "Michelle", "Laura", "Emily", "Kimberly", "Amy",
    "Angela", "Melissa", "Rebecca", "Stephanie", "Jessica", "Ashley", "Amanda", "Rachel",
    "Olivia", "Emma", "Sophia", "Isabella", "Mia", "Ana", "Rosa", "Carmen", "Lucia", "Mei",
    "Li", "Priya", "Anjali", "Fatima", "Aisha", "Imani", "Keisha", "Svetlana", "Natalia",
    "Beatriz", "Camille", "Grace", "Hannah", "Zoe",
)  # fmt: skip
MALE = (
    "James", "Robert", "John", "Michael", "David", "William", "Richard", "Joseph", "Thomas",
    "Charles", "Daniel", "Matthew", "Anthony", "Mark", "Steven", "Paul", "Andrew", "Kenneth",
    "George", "Kevin", "Brian", "Edward", "Ronald", "Timothy", "Jason", "Ryan", "Jacob", "Noah",
    "Liam", "Ethan", "Jose", "Juan", "Luis", "Carlos", "Miguel", "Wei", "Jun", "Raj", "Arjun",
    "Omar", "Hassan", "Darnell", "Malik", "Dmitri", "Ivan", "Paulo", "Andre", "Samuel",
    "Benjamin", "Henry",
)  # fmt: skip
FAMILY = (
    "Smith", "Johnson", "Williams", "Brown", "Jones", "Garcia", "Miller", "Davis", "Rodriguez",
    "Martinez", "Hernandez", "Lopez", "Gonzalez", "Wilson", "Anderson", "Thomas", "Taylor",
    "Moore", "Jackson", "Martin", "Lee", "Perez", "Thompson", "White", "Harris", "Sanchez",
    "Clark", "Ramirez", "Lewis", "Robinson", "Walker", "Young", "Allen", "King", "Wright",
    "Scott", "Torres", "Nguyen", "Hill", "Flores", "Green", "Adams", "Nelson", "Baker", "Hall",
    "Rivera", "Campbell", "Mitchell", "Carter", "Roberts", "Chen", "Patel", "Kim", "Silva",
    "Santos", "Oliveira", "Ivanov", "Murphy", "Sullivan", "O'Brien", "McCarthy", "Doherty",
    "Almeida", "Pereira", "Khan", "Wong", "Cohen", "Baptiste", "Pierre", "Nowak",
)  # fmt: skip
STREETS = (
    "Maple", "Oak", "Elm", "Cedar", "Pine", "Washington", "Lincoln", "Harvard", "Beacon", "Summer",
    "Winter", "Spring", "Pleasant", "Highland", "Prospect", "Central", "Chestnut", "Walnut", "Park",
    "Union", "School", "Church", "River", "Mill", "Franklin",
)  # fmt: skip
STREET_KINDS = ("Street", "Avenue", "Road", "Lane", "Terrace", "Court")
PLACES = (
    ("Boston", "Massachusetts", "02115", 16),
    ("Dorchester", "Massachusetts", "02122", 10),
    ("Cambridge", "Massachusetts", "02139", 8),
    ("Somerville", "Massachusetts", "02144", 6),
    ("Quincy", "Massachusetts", "02169", 7),
    ("Chelsea", "Massachusetts", "02150", 5),
    ("Revere", "Massachusetts", "02151", 4),
    ("Medford", "Massachusetts", "02155", 4),
    ("Brookline", "Massachusetts", "02446", 4),
    ("Newton", "Massachusetts", "02458", 4),
    ("Waltham", "Massachusetts", "02451", 3),
    ("Lynn", "Massachusetts", "01902", 5),
    ("Lowell", "Massachusetts", "01852", 5),
    ("Worcester", "Massachusetts", "01609", 6),
    ("Brockton", "Massachusetts", "02301", 5),
    ("Nashua", "New Hampshire", "03060", 2),
    ("Providence", "Rhode Island", "02903", 3),
)
"""City, state, postal code and how many of a hundred live there."""
LANGUAGES = (
    ("English", 80), ("Spanish", 9), ("Portuguese", 4), ("Chinese", 2), ("Haitian Creole", 2),
    ("Vietnamese", 1), ("Russian", 1), ("Arabic", 1),
)  # fmt: skip
RACES = (("White", 69), ("Black or African American", 12), ("Asian", 8), ("Other", 11))
INSURANCE = ("Commonwealth Care", "Bay State Health Plan", "Pilgrim Mutual", "Atlantic Health")
