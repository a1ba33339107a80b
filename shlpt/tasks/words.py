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
COLOURS = ("red", "blue", "green", "yellow", "black", "white")

# --- reviews: adjectives by grade, from worst to best -------------------------------------
GRADED = (
    ("awful", "dreadful", "horrible", "disastrous", "appalling", "atrocious"),
    ("poor", "weak", "disappointing", "dull", "clumsy", "unpleasant"),
    ("ordinary", "average", "acceptable", "okay", "passable", "plain"),
    ("nice", "pleasant", "solid", "enjoyable", "likeable", "fine"),
    ("superb", "amazing", "excellent", "outstanding", "fantastic", "perfect"),
)
CLOSINGS = (
    ("never again", "i want my money back", "it ruined the whole day"),
    ("i expected more", "i would not return", "it let us down"),
    ("it did the job", "nothing special to report", "i have no strong opinion"),
    ("i would come back", "we were happy enough", "it was worth the money"),
    ("i loved every minute", "we will talk about it for years", "i could not ask for more"),
)
ASPECTS = {
    "cafe": ("food", "soup", "waiter", "service", "terrace", "dessert", "coffee", "menu"),
    "gadget": ("battery", "screen", "cable", "charger", "speaker", "handle", "keyboard", "printer"),
    "film": ("plot", "acting", "music", "ending", "script", "hero", "dialogue", "costume"),
    "hotel": ("room", "bed", "breakfast", "lobby", "bathroom", "garden", "staff", "balcony"),
}
FILLERS = {
    "cafe": ("we came on a {day}", "we sat by the window", "{name} chose the place"),
    "gadget": ("it arrived on a {day}", "it came in a {colour} box", "i gave it to {name}"),
    "film": ("we saw it on a {day}", "i watched it with {name}", "it runs for two hours"),
    "hotel": ("we stayed until {day}", "{name} booked it for us", "our key was {colour}"),
}
QUIET = ("silent", "calm", "peaceful", "sleepy", "hushed")
BUSY = ("loud", "noisy", "crowded", "bustling", "hectic")
NOISY_PLACES = ("street", "corridor", "bar", "pool", "entrance", "restaurant")

# --- topics -------------------------------------------------------------------------------
NEWS = {
    "world": "minister embassy treaty border refugees president parliament ceasefire troops summit".split(),
    "sports": "coach goal league striker championship referee stadium tournament medal defender".split(),
    "business": "shares profit bank investors merger prices dividend factory quarter exports".split(),
    "science": "satellite researchers software laboratory virus telescope genome robot chip fossil".split(),
}
# Words two topics share: with them no topic can be told for sure.
NEWS_SHARED = ("record", "crisis", "team", "deal", "plan", "report", "leader", "result")
QUESTIONS = {
    "society": "religion marriage custom charity church holiday neighbour tradition".split(),
    "science": "atom gravity equation planet chemistry theorem magnet molecule".split(),
    "health": "headache vitamin doctor allergy fever diet sleep medicine".split(),
    "education": "homework exam college essay scholarship classroom grammar diploma".split(),
    "computers": "laptop password browser printer download keyboard website monitor".split(),
    "sports": "football tennis marathon goalkeeper racket swimming coach basketball".split(),
    "business": "salary loan tax invoice manager mortgage resume insurance".split(),
    "entertainment": "movie singer concert comedy actor novel television lyrics".split(),
    "family": "boyfriend daughter wedding parents baby divorce cousin girlfriend".split(),
    "politics": "election senator vote congress campaign mayor constitution protest".split(),
}
GREETINGS = ("", "hello , ", "please help : ", "quick question , ")
QUESTION_FORMS = (
    "how do i choose a {w} and what about the {v} ?",
    "why is my {w} worse than the {v} ?",
    "can anybody explain the {w} or the {v} ?",
    "what is the best {w} for a {v} ?",
    "my friend says the {w} needs a {v} , is that true ?",
)
THINGS = {
    "company": ("firm", "founded in {city} that sells", "brands", "customers"),
    "school": ("college", "in {city} with many", "students", "courses"),
    "artist": ("singer", "from {city} known for", "songs", "albums"),
    "athlete": ("runner", "from {city} who won", "races", "medals"),
    "politician": ("senator", "for {city} elected by", "voters", "reforms"),
    "vehicle": ("plane", "built in {city} with twin", "engines", "wheels"),
    "building": ("tower", "in {city} designed with", "windows", "arches"),
    "nature": ("river", "that flows past {city} through", "valleys", "forests"),
    "village": ("hamlet", "near {city} counting few", "inhabitants", "households"),
    "animal": ("beetle", "found around {city} feeding on", "insects", "larvae"),
    "plant": ("shrub", "growing near {city} with small", "leaves", "flowers"),
    "album": ("record", "released in {city} with twelve", "tracks", "melodies"),
    "film": ("drama", "shot in {city} featuring several", "scenes", "actors"),
    "book": ("novel", "printed in {city} spanning many", "chapters", "pages"),
}

# --- inference ----------------------------------------------------------------------------
KINDS = {
    "boy": "child",
    "girl": "child",
    "man": "adult",
    "woman": "adult",
    "dog": "animal",
    "cat": "animal",
    "horse": "animal",
    "goat": "animal",
}
MANNERS = ("young", "old", "tall", "small", "happy", "tired")
ACTS = (("sleeping", "running"), ("sitting", "jumping"), ("eating", "swimming"), ("hiding", "dancing"))
SPOTS = ("park", "kitchen", "street", "station", "library", "stable")
EXTRAS = ("for a prize", "with a friend", "after a long trip", "because it is late", "before the rain")
FACTIVE = ("knows", "noticed", "discovered", "remembered", "proved")
DENYING = ("denied", "disputed", "refuted")
OPEN = ("hopes", "guesses", "suspects", "dreams", "believes")
VENUES = ("bridge", "museum", "school", "hospital", "market", "theatre", "harbour", "library")
OFFICES = ("mayor", "minister", "queen", "council")
DEEDS = (("opened", "closed"), ("praised", "blamed"), ("built", "destroyed"))

# --- paraphrase: one intent, several wordings ---------------------------------------------
INTENTS = (
    ("how can i learn the {x} ?", "what is the way to study the {x} ?", "how do people master the {x} ?"),
    ("where can i buy a {x} ?", "which shop sells a {x} ?", "where is a {x} for sale ?"),
    ("how do i repair a {x} ?", "how can a broken {x} be fixed ?", "what mends a damaged {x} ?"),
    ("what does a {x} cost ?", "how expensive is a {x} ?", "what is the price of a {x} ?"),
)
TOPICS = tuple(
    ("guitar piano violin flute bicycle camera drum clock boat lamp tent kite trumpet stove mirror carpet").split()
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
    (
        ("the {x} cost very little", "the {x} was praised on television"),
        ("the {x} found many buyers", "the {x} sold out"),
    ),
)
BELONGINGS = tuple(
    "clock lamp drum guitar kite camera tent mirror carpet basket chair violin radio book doll ladder".split()
)
