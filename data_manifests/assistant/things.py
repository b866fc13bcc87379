"""Things that users of the assistant domain name: rooms, devices, goods, music, tasks, messages."""


def _listed(text: str) -> tuple[str, ...]:
    """Split a comma-separated listing into its entries."""
    return tuple(" ".join(entry.split()) for entry in text.split(",") if entry.strip())


ROOMS = _listed("""
attic, balcony, basement, bathroom, bedroom, cellar, children's room, conservatory, corridor,
dining room, dressing room, entrance, family room, garage, garden, guest room, hallway, kitchen,
laundry room, library, living room, lobby, lounge, nursery, office, pantry, playroom, porch, shed,
staircase, studio, study, sunroom, terrace, upstairs bathroom, utility room, veranda,
waiting room, wardrobe, workshop
""")

COLOURS = _listed("""
amber, aqua, beige, blue, bronze, brown, coral, cream, crimson, dark blue, dark green, emerald,
gold, green, indigo, ivory, lavender, light blue, light green, lilac, lime green, magenta, maroon,
mint, navy blue, olive green, orange, peach, pink, purple, red, ruby, salmon, sapphire, scarlet,
silver, sky blue, turquoise, violet, warm white, white, yellow
""")

DEVICES = _listed("""
air conditioner, air purifier, alarm system, bathroom fan, bread maker, coffee machine, computer,
dehumidifier, desk lamp, dishwasher, doorbell, dryer, electric blanket, electric fireplace,
espresso machine, fan heater, fish tank, floor lamp, fountain, freezer, fridge, games console,
garden sprinkler, heater, hot tub, humidifier, kettle, lawn mower, microwave, night light, oven,
oven hood, printer, projector, radiator, radio, record player, rice cooker, robot vacuum, router,
sauna, scanner, security camera, slow cooker, speaker, stereo, stove, television, toaster,
towel heater, tumble dryer, video recorder, washing machine, water heater, water pump
""")

DOORS = _listed("""
back door, balcony door, basement door, cellar door, front door, garage door, garden gate,
kitchen door, main gate, office door, patio door, shed door, side door, terrace door
""")

ITEMS = _listed("""
apples, apricots, asparagus, avocados, bacon, baking powder, balsamic vinegar, bananas, basil,
batteries, bin bags, biscuits, black pepper, blueberries, bread, broccoli, brown rice, butter,
cabbage, candles, carrots, cat food, cauliflower, celery, cereal, cheddar, cherries, chicken,
chickpeas, chili powder, chocolate, cinnamon, coconut milk, coffee beans, cookies, cottage cheese,
cotton wool, crackers, cranberry juice, cream cheese, croissants, cucumbers, curry powder, dates,
detergent, dish soap, dog food, eggplants, eggs, envelopes, fabric softener, figs, fish fingers,
flour, frozen peas, garlic, ginger, glue, goat cheese, granola, grapefruit, grapes, green beans,
green tea, ham, hand cream, honey, hot sauce, hummus, ice cream, instant noodles, ketchup,
kitchen paper, lamb chops, lasagna, lemonade, lemons, lentils, lettuce, light bulbs, limes,
mango chutney, mangoes, maple syrup, margarine, marmalade, mayonnaise, melons, milk,
mineral water, mozzarella, mushrooms, mustard, napkins, nutmeg, oatmeal, oat milk, olive oil,
olives, onions, orange juice, oranges, oregano, paper towels, paprika, parmesan, parsley, pasta,
peaches, peanut butter, peanuts, pears, pesto, pickles, pineapple, pistachios, plums, popcorn,
potatoes, printer paper, pumpkin, radishes, raisins, raspberries, red wine, rosemary bread,
saffron, salad dressing, salmon fillets, salt, sausages, shampoo, shaving cream, shrimp, soap,
sour cream, soy sauce, sparkling water, spinach, sponges, strawberries, sugar, sunflower oil,
sunscreen, sweet corn, tape, tea bags, tissues, tofu, toilet paper, tomato sauce, tomatoes,
toothbrushes, toothpaste, tortillas, tuna, turkey, turnips, vanilla ice cream, vinegar, walnuts,
washing powder, watermelon, white wine, yeast, yogurt, zucchini
""")

LISTS = _listed("""
shopping list, grocery list, packing list, holiday list, party list, camping list, picnic list,
weekend list, kitchen list, gift list
""")

MUSIC = _listed("""
acoustic guitar, afrobeat, ambient music, baroque music, big band, blues, bluegrass, bossa nova,
brass bands, calypso, cello music, chamber music, children's songs, choir music, Christmas songs,
classical music, country music, dance music, disco, drum and bass, electronic music, fado,
film music, flamenco, flute music, folk music, funk, gospel, grunge, guitar solos, harp music,
heavy metal, hip hop, house music, Irish folk, jazz, Latin music, lounge music, lullabies,
meditation music, modern jazz, ocean sounds, opera, orchestral music, organ music, piano music,
polka, pop music, punk rock, rain sounds, reggae, rhythm and blues, rock and roll, rock music,
romantic songs, salsa, samba, sea shanties, ska, smooth jazz, soft rock, soul music,
string quartets, swing, synth pop, tango, techno, traditional songs, trance, violin music,
waltzes, whale songs, workout music, world music
""")

DISHES = _listed("""
bagels, baguettes, burgers, burritos, cheeseburgers, chicken salads, chocolate cakes,
club sandwiches, croissants, cups of coffee, curries, doughnuts, falafel wraps, fish pies,
fruit salads, Greek salads, hot dogs, lasagnas, lemon tarts, meatballs, milkshakes, muffins,
noodle soups, omelettes, pancakes, pasta salads, pizzas, quiches, samosas, sandwiches, smoothies,
spring rolls, steaks, sushi rolls, tacos, tomato soups, veggie burgers, waffles
""")

CUISINES = _listed("""
African, American, Argentinian, Austrian, Brazilian, Caribbean, Chinese, Cuban, Egyptian,
Ethiopian, French, German, Greek, Hungarian, Indian, Indonesian, Irish, Italian, Jamaican,
Japanese, Korean, Lebanese, Mediterranean, Mexican, Moroccan, Persian, Peruvian, Polish,
Portuguese, Russian, seafood, Spanish, Swedish, Swiss, Syrian, Thai, Tunisian, Turkish, Ukrainian,
vegan, vegetarian, Vietnamese
""")

LANGUAGES = _listed("""
Arabic, Bengali, Bulgarian, Catalan, Croatian, Czech, Danish, Dutch, English, Estonian, Finnish,
French, German, Greek, Hebrew, Hindi, Hungarian, Icelandic, Indonesian, Italian, Japanese, Korean,
Latvian, Lithuanian, Mandarin, Norwegian, Polish, Portuguese, Punjabi, Romanian, Russian, Serbian,
Slovak, Spanish, Swahili, Swedish, Tamil, Thai, Turkish, Ukrainian, Urdu, Vietnamese, Welsh
""")

TASKS = _listed("""
answer the letter, bake a cake, book the hotel, buy a present, buy the tickets, change the sheets,
charge the car, check the tires, clean the windows, clean the oven, collect the parcel,
do the laundry, do the taxes, empty the dishwasher, feed the cat, feed the fish, fix the bicycle,
iron the shirts, mow the lawn, order the flowers, pack the suitcase, paint the fence,
pay the rent, pay the electricity bill, pick up the kids, pick up the keys, plant the tomatoes,
print the documents, renew the passport, return the library books, sign the contract,
take out the trash, take the medicine, tidy the garage, update the website, vaccinate the dog,
visit the dentist, walk the dog, wash the car, water the plants, write the report, wrap the gifts
""")

EVENTS = _listed("""
birthday party, board meeting, book club, budget review, chess club, choir practice, coffee break,
concert, cooking class, dance class, dentist appointment, doctor's appointment, driving lesson,
family dinner, football match, guitar lesson, haircut, interview, job interview, language course,
lunch meeting, math exam, parents' evening, phone conference, piano lesson, project meeting,
sales meeting, staff meeting, swimming lesson, team meeting, tennis match, theater visit,
video call, wedding, wine tasting, yoga class
""")

MODES = _listed("bus, car, train, bicycle, ferry, tram, scooter, subway")

GOOD_FEELINGS = _listed("""
calm, cheerful, confident, content, delighted, excited, fantastic, fine, grateful, great, happy,
hopeful, optimistic, overjoyed, peaceful, pleased, proud, refreshed, relaxed, relieved, satisfied,
strong, thrilled, wonderful
""")

BAD_FEELINGS = _listed("""
afraid, angry, annoyed, anxious, ashamed, bored, confused, depressed, desperate, disappointed,
exhausted, frightened, frustrated, guilty, homesick, hopeless, ill, jealous, lonely, miserable,
nervous, sad, scared, sick, stressed, terrible, tired, unhappy, upset, worried
""")

MESSAGES: dict[str, str] = {
    "I am running late": "you are running late",
    "I am on my way": "you are on your way",
    "I am at home": "you are at home",
    "I am at work": "you are at work",
    "I am in a meeting": "you are in a meeting",
    "I am stuck in traffic": "you are stuck in traffic",
    "I am waiting outside": "you are waiting outside",
    "I am ready": "you are ready",
    "I am not coming": "you are not coming",
    "I am almost there": "you are almost there",
    "I am at the station": "you are at the station",
    "I am cooking dinner": "you are cooking dinner",
    "I am feeling better": "you are feeling better",
    "I am leaving now": "you are leaving now",
    "I have arrived": "you have arrived",
    "I have found the keys": "you have found the keys",
    "I have lost my phone": "you have lost your phone",
    "I have missed the train": "you have missed the train",
    "I have bought the tickets": "you have bought the tickets",
    "I have a cold": "you have a cold",
    "I need more time": "you need more time",
    "I need some help": "you need some help",
    "I need the car": "you need the car",
    "I agree": "you agree",
    "I will call back": "you will call back",
    "I will be there soon": "you will be there soon",
    "I will bring dessert": "you will bring dessert",
    "I will be late for dinner": "you will be late for dinner",
    "I cannot come": "you cannot come",
    "dinner is ready": "dinner is ready",
    "the meeting is cancelled": "the meeting is cancelled",
    "the meeting is moved": "the meeting is moved",
    "the train is delayed": "the train is delayed",
    "the door is open": "the door is open",
    "the car is ready": "the car is ready",
    "the parcel has arrived": "the parcel has arrived",
    "the food is here": "the food is here",
    "the kids are asleep": "the kids are asleep",
    "the shop is closed": "the shop is closed",
    "the game has started": "the game has started",
    "we are out of milk": "you are out of milk",
    "we are leaving now": "you are leaving now",
    "we won the game": "you won the game",
    "everything is fine": "everything is fine",
    "the flight is on time": "the flight is on time",
}
"""What the user asks to be told, and how the assistant says it back."""

THING_VARIANTS: dict[str, tuple[str, ...]] = {
    "aqua": ("acqua",),
    "turquoise": ("turquois",),
    "navy blue": ("navy",),
    "lime green": ("lime",),
    "olive green": ("olive",),
    "children's room": ("childrens room", "kids room", "kid's room", "kids' room", "children room"),
    "children's songs": ("childrens songs", "children songs", "kids songs"),
    "doctor's appointment": ("doctors appointment", "doctor appointment"),
    "parents' evening": ("parents evening", "parent's evening"),
    "hallway": ("hall",),
    "bathroom": ("bath room",),
    "bedroom": ("bed room",),
    "playroom": ("play room",),
    "sunroom": ("sun room",),
    "living room": ("livingroom",),
    "veranda": ("verandah",),
    "fridge": ("refrigerator",),
    "television": ("tv", "t v", "telly"),
    "doorbell": ("door bell",),
    "lawn mower": ("lawnmower",),
    "hip hop": ("hiphop",),
    "rhythm and blues": ("r and b", "rnb"),
    "rock and roll": ("rock n roll", "rock 'n' roll", "rock'n'roll"),
    "synth pop": ("synthpop",),
    "sea shanties": ("sea chanties",),
    "drum and bass": ("drum and base", "drum n bass"),
    "lasagna": ("lasagne",),
    "lasagnas": ("lasagnes",),
    "yogurt": ("yoghurt",),
    "doughnuts": ("donuts",),
    "omelettes": ("omelets",),
    "mangoes": ("mangos",),
    "pizzas": ("pizza",),
    "hummus": ("humus",),
    "chili powder": ("chilli powder", "chilly powder"),
    "flour": ("flower",),
    "zucchini": ("zuchini", "courgettes"),
    "math exam": ("maths exam",),
    "theater visit": ("theatre visit",),
    "veggie burgers": ("vegetarian burgers", "veggieburgers"),
    "toothbrushes": ("tooth brushes",),
    "sweet corn": ("sweetcorn",),
    "oatmeal": ("oat meal",),
    "pears": ("pairs",),
    "check the tires": ("check the tyres",),
    "bicycle": ("bike",),
    "subway": ("metro", "underground"),
    "tram": ("streetcar",),
    "garden gate": ("garden gates",),
    "Mandarin": ("Chinese",),
    "Thai": ("Tie", "Thigh", "Ty"),
    "Swiss": ("Swish",),
    "Danish": ("Dainish",),
    "Czech": ("Check", "Chech"),
}
"""Other forms of a value, as an ASR may write or a user may say them."""
