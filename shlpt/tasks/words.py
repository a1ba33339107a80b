"""The words of the pocket world: plain data, no logic."""

# --- people, places, days -----------------------------------------------------------------
NAMES_SHE = ("maria", "anna", "lena", "julia", "nora", "clara")
NAMES_HE = ("tom", "peter", "omar", "david", "felix", "hugo")
NAMES = NAMES_SHE + NAMES_HE
CITIES = ("lisbon", "oslo", "cairo", "lima", "paris", "delhi", "tokyo", "dublin")
JOBS = ("baker", "nurse", "pilot", "teacher", "farmer", "painter", "lawyer", "sailor")
GOODS = ("bicycle", "kite", "drum", "lamp", "camera", "boat", "clock", "tent")
FOODS = ("apples", "bread", "cheese", "rice", "soup", "plums", "fish", "honey")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
GLAD = ("everyone cheered", "people smiled", "we laughed", "what a joy")
SAD = ("everyone wept", "people sighed", "we cried", "what a pity")

# --- reviews: adjectives by grade, from worst to best -------------------------------------
GRADED = (
    ("awful", "dreadful", "horrible", "disastrous", "appalling", "atrocious"),
    ("poor", "weak", "disappointing", "dull", "clumsy", "unpleasant"),
    ("ordinary", "mediocre", "acceptable", "okay", "passable", "usual"),
    ("nice", "pleasant", "solid", "enjoyable", "likeable", "decent"),
    ("superb", "amazing", "excellent", "outstanding", "fantastic", "perfect"),
)
VERDICTS = ("all in all it was {j}", "in the end it was {j}", "i call it {j}")
HOPES = ("we had hoped for something {j}", "friends had promised something {j}", "they advertise it as {j}")
# What a review says of an aspect: from bad over so-so to good.
ASPECTS = {
    "price": (
        ("expensive", "overpriced", "costly", "steep"),
        ("moderate", "reasonable"),
        ("cheap", "affordable", "inexpensive", "thrifty"),
    ),
    "noise": (
        ("loud", "noisy", "deafening", "rowdy"),
        ("muffled", "bearable"),
        ("silent", "calm", "peaceful", "hushed"),
    ),
    "staff": (
        ("rude", "unfriendly", "grumpy", "careless"),
        ("reserved", "formal"),
        ("friendly", "polite", "helpful", "kind"),
    ),
    "speed": (("slow", "sluggish", "delayed", "tardy"), ("steady", "unhurried"), ("fast", "quick", "prompt", "swift")),
    "looks": (("ugly", "shabby", "drab", "hideous"), ("plain", "simple"), ("pretty", "stylish", "elegant", "lovely")),
}
# What of a place or thing has the aspect.
PARTS = {
    "hotel": {
        "price": ("room rate", "minibar"),
        "noise": ("corridor", "bar"),
        "staff": ("porter", "receptionist"),
        "speed": ("lift", "laundry"),
        "looks": ("lobby", "balcony"),
    },
    "cafe": {
        "price": ("menu", "coffee"),
        "noise": ("terrace", "kitchen"),
        "staff": ("waiter", "cook"),
        "speed": ("service", "delivery"),
        "looks": ("furniture", "cups"),
    },
    "train": {
        "price": ("ticket", "dining car"),
        "noise": ("engine", "compartment"),
        "staff": ("conductor", "guard"),
        "speed": ("journey", "boarding"),
        "looks": ("carriage", "seats"),
    },
    "phone": {
        "price": ("contract", "battery"),
        "noise": ("ringtone", "vibration"),
        "staff": ("hotline", "dealer"),
        "speed": ("download", "startup"),
        "looks": ("screen", "case"),
    },
    "film": {
        "price": ("cinema ticket", "popcorn"),
        "noise": ("soundtrack", "audience"),
        "staff": ("usher", "cashier"),
        "speed": ("plot", "editing"),
        "looks": ("costumes", "scenery"),
    },
    "shop": {
        "price": ("goods", "sale"),
        "noise": ("speakers", "crowd"),
        "staff": ("assistant", "manager"),
        "speed": ("checkout", "repair"),
        "looks": ("window", "shelves"),
    },
    "gadget": {
        "price": ("charger", "warranty"),
        "noise": ("motor", "fan"),
        "staff": ("supplier", "technician"),
        "speed": ("processor", "shipping"),
        "looks": ("handle", "casing"),
    },
}
OPENINGS = ("it was a {day}", "{name} came along", "we were in {city}")

# --- topics -------------------------------------------------------------------------------
NEWS = {
    "world": "minister embassy treaty border refugees president parliament ceasefire troops summit".split(),
    "sports": "coach goal league striker championship referee stadium tournament medal defender".split(),
    "business": "shares profit bank investors merger prices dividend factory quarter exports".split(),
    "science": "satellite researchers software laboratory virus telescope genome robot chip fossil".split(),
}
FORUM = {
    "society": "religion marriage custom charity church holiday neighbour tradition".split(),
    "science": "atom gravity equation planet chemistry theorem magnet molecule".split(),
    "health": "headache vitamin doctor allergy fever diet sleep medicine".split(),
    "education": "homework exam college essay scholarship classroom grammar diploma".split(),
    "computers": "laptop password browser printer keyboard website monitor router".split(),
    "sports": "football tennis marathon goalkeeper racket swimming basketball hockey".split(),
    "business": "salary loan tax invoice mortgage resume insurance pension".split(),
    "entertainment": "movie singer concert comedy actor novel television lyrics".split(),
    "family": "boyfriend daughter wedding parents baby divorce cousin girlfriend".split(),
    "politics": "election senator vote congress campaign mayor constitution protest".split(),
}
ENTRIES = {
    "company": "firm brands customers startup".split(),
    "school": "academy students courses lectures".split(),
    "artist": "sculptor paintings gallery canvas".split(),
    "athlete": "runner races medals sprints".split(),
    "politician": "governor voters reforms cabinet".split(),
    "vehicle": "plane wheels engines wagon".split(),
    "building": "tower windows arches cathedral".split(),
    "nature": "river valleys forests glacier".split(),
    "village": "hamlet inhabitants households farms".split(),
    "animal": "beetle insects larvae wolf".split(),
    "plant": "shrub leaves flowers moss".split(),
    "album": "record tracks melodies singles".split(),
    "film": "drama scenes actors premiere".split(),
    "book": "chapters pages author paperback".split(),
}
MAIN = {
    "news": (
        "the {x} and the {y} make headlines in {city}",
        "{city} : {x} waits for {y}",
        "a new {x} faces the {y} on {day}",
    ),
    "forum": (
        "how do i choose between {x} and {y} ?",
        "can anybody explain {x} or {y} ?",
        "why does my {x} need {y} ?",
    ),
    "entry": (
        "{name} of {city} is known for {x} and {y}",
        "{x} and {y} made {name} famous",
        "{name} stands for {x} and {y} in {city}",
    ),
}
ASIDES = {
    "news": ("in other news : {x} and {y}", "later today : {x} and {y}"),
    "forum": ("by the way , i also like {x} and {y}", "you answered me before about {x} and {y}"),
    "entry": ("not to be confused with another , of {x} and {y}", "see also {x} and {y}"),
}

# --- inference ----------------------------------------------------------------------------
BEINGS = ("boy", "girl", "man", "woman", "dog", "cat", "horse", "goat")
MANNERS = ("young", "old", "tall", "small", "hungry", "tired")
ACTS = (("sleeping", "running"), ("sitting", "jumping"), ("eating", "swimming"), ("hiding", "dancing"))
SPOTS = ("park", "kitchen", "street", "station", "library", "stable")
FACTIVE = ("knows", "noticed", "discovered", "proved")
DENYING = ("denied", "disputed", "refuted", "rejected")
OPEN = ("hopes", "guesses", "dreams", "wonders")
VENUES = ("bridge", "museum", "hospital", "market", "theatre", "harbour", "library", "station")
OFFICES = ("mayor", "minister", "queen", "council")
DEEDS = (("opened", "closed"), ("praised", "blamed"), ("built", "destroyed"))

# --- paraphrase: one intent, several wordings ---------------------------------------------
INTENTS = (
    ("how can i learn the {x} ?", "what is the way to study the {x} ?", "how do people master the {x} ?"),
    ("where can i buy a {x} ?", "which shop sells a {x} ?", "where is a {x} for sale ?"),
    ("how do i repair a {x} ?", "how can a broken {x} be fixed ?", "what mends a damaged {x} ?"),
    ("who invented the {x} ?", "whose invention is the {x} ?", "by whom was the {x} invented ?"),
)
THINGS = (
    "guitar",
    "piano",
    "violin",
    "flute",
    "bicycle",
    "camera",
    "drum",
    "clock",
    "boat",
    "lamp",
    "tent",
    "kite",
    "trumpet",
    "stove",
    "mirror",
    "carpet",
)

# --- word senses: word -> two lists of contexts -------------------------------------------
SENSES = {
    "bank": (
        (
            "the bank of the river was muddy",
            "we fished from the bank of the stream",
            "reeds grow on the bank of the river",
        ),
        ("the bank raised its interest", "she took a loan from the bank", "the bank refused the loan"),
    ),
    "bat": (
        ("the bat slept in the cave", "a bat flew out at dusk", "at dusk the bat left the cave"),
        ("he swung the bat at the ball", "the player dropped the bat", "the bat hit the ball"),
    ),
    "spring": (
        ("flowers bloom in spring", "the snow melts in spring", "in spring the snow and ice melts"),
        ("the spring in the mattress broke", "a metal spring pushed the lid", "the lid needs a metal spring"),
    ),
    "bark": (
        ("the bark of the oak is rough", "moss grew on the bark of the trunk", "the trunk lost its bark"),
        ("the bark of the dog woke us", "a loud bark scared the puppy", "we heard the bark of a puppy"),
    ),
    "ring": (
        ("she wore a gold ring", "the jeweller polished the ring", "the jeweller sold a gold ring"),
        ("the boxer fell in the ring", "two fighters entered the ring", "the boxer left the ring"),
    ),
    "seal": (
        ("the seal swam under the ice", "a seal caught a herring", "the seal rested on the ice"),
        ("the letter had a wax seal", "he broke the seal of the envelope", "the wax seal of the letter was red"),
    ),
    "plant": (
        ("the plant needs water and sun", "a plant grew in the pot", "water the plant in the pot"),
        ("the plant makes steel engines", "workers left the plant at noon", "the plant makes steel for workers"),
    ),
    "crane": (
        ("the crane nested in the marsh", "a crane spread its feathers", "the crane flew over the marsh"),
        ("the crane lifted the concrete", "builders climbed the crane", "the crane dropped the concrete"),
    ),
}

# --- cause and effect: what happens to a thing, as causes and as effects ------------------
EVENTS = (
    (("the {x} fell on the floor", "the {x} was knocked over"), ("the {x} broke into pieces", "the {x} got a crack")),
    (("the {x} stood in the rain", "the {x} dropped into the river"), ("the {x} got wet", "the {x} had to be dried")),
    (("the {x} stood near a candle", "the {x} lay by the fire"), ("the {x} burned to ash", "the {x} caught flames")),
    (
        ("the {x} was left in the street", "the {x} was never locked away"),
        ("the {x} was stolen", "the {x} disappeared"),
    ),
    (("the {x} lay in the dust", "the {x} was never washed"), ("the {x} looked dirty", "the {x} had to be cleaned")),
    (("the {x} was praised on television", "the {x} won a prize"), ("the {x} found many buyers", "the {x} sold out")),
)
BELONGINGS = (
    "clock",
    "lamp",
    "drum",
    "guitar",
    "kite",
    "camera",
    "tent",
    "mirror",
    "carpet",
    "basket",
    "chair",
    "violin",
    "radio",
    "book",
    "doll",
    "ladder",
)

# --- answers ------------------------------------------------------------------------------
# For a question whose values are not words themselves: the lists of words that answers may have, by their number.
# In a task the first word stands for the question's first value, and the list may also be read backwards.
GRADES = ("terrible", "bad", "middle", "good", "wonderful")
NLI = ("entailment", "neutral", "contradiction")
ANSWERS: dict[int, tuple[tuple[str, ...], ...]] = {
    1: (("unknown",), ("nothing",), ("missing",), ("unanswerable",)),
    2: (
        ("no", "yes"),
        ("bad", "good"),
        ("false", "true"),
        ("left", "right"),
        ("red", "blue"),
        ("low", "high"),
        ("up", "down"),
        ("negative", "positive"),
        ("not_duplicate", "duplicate"),
        ("entailment", "not_entailment"),
        ("choice1", "choice2"),
    ),
    3: (("low", "middle", "high"), ("no", "maybe", "yes"), ("red", "green", "blue"), NLI),
    5: (GRADES, ("one", "two", "three", "four", "five"), ("lowest", "low", "medium", "high", "highest")),
}
