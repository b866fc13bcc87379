"""Common English words: a text made of them was heard, even if it cannot be helped with."""

_WORDS = """
able above across act after age ago air all almost alone along already always animal answer any
anything area arm around ask asked away baby bad ball bank based beautiful became because become
bed before began begin behind believe best better between big bird black body boil book born both
box boy brain bring brother brought build building business buy by called came car care carry case
cat cause century change chess child children church city class clear close cold color come
company complete computer cook cost could country course cover create cry cut dance dark day dead
deal death decide deep difference different dinner dog done door down draw dream drink drive
during each ear early earth easy eat effect egg eight either else end energy enough even ever
every everyone everything example exercise eye face fact fall family famous far fast father feel
feet few field fight figure fill film find finger finish fire first fish five floor fly follow
food foot force form found four free friend from front full fun game garden gave girl give glass
gold good great green ground group grow guess had hair half hand happen happened hard head health
hear heard heart heat heavy height held help high history hit hold home horse hot hour house human
hundred hurt idea important inside interest island job joke keep kept key kid kill kind king knew
know known lady land language large last late laugh law lay lead learn least leave left leg less
letter life light line list little live long look lose lost lot love low machine made main major
man many map mark market marry matter mean measure meet men middle might mile milk million mind
minute miss money month moon more morning most mother mountain mouth move movie much music name
nation natural near never new news next night north nothing number ocean off office often old once
one only open order other over own page pain paint paper parent park part pass past pay people
perfect person phone picture piece place plan plane plant play player poem point police poor
possible power present president press pretty price problem program public pull push queen
question quick quiet race rain reach read ready real reason red remember rest rich ride ring rise
river road rock room round rule run sad safe sail same saw say school science sea season second
see seem sell send sense sentence serve seven several shape share ship shoe shop short should side
sign simple since sing sister sit six size skin sky sleep slow small smell snow social soft sold
soldier some somebody someone something song soon sound south space speak special speed spell
spend spring stand star state stay step stock stop store story street strong student study such
sugar summer sun sure surface swim system table take talk teach teacher team ten test than their
themselves thing think third thousand three through throw time today together told tomorrow
tonight took top touch toward town train travel tree trip true truth try turn twelve twenty two
type under understand until use used usual very visit voice wait walk wall war warm wash watch
water way weight went were west wheel while white whole whose why wide wife wild win wind window
winter wish woman women wonder wood word work world worth write wrong wrote yard year yellow
yesterday yet young advice algorithm author average bitcoin bone capital celebrity champion
chapter chemistry climate coach compare compose cure currency debate define describe design diet
discover doctor dollar dragon economy election engine essay euro explain fever film gravity guitar
headache homework internet invent joke king lottery match medicine meaning member modern muscle
novel opinion oxygen painter philosophy physics planet player poem politics population prime
profit promise pronounce prove puzzle quote rate religion rhyme riddle riddles rhymes ruler score
secret sentence shakespeare solve speech spell stock story summarize summary tax theory translate
trivia vote weigh winner workout zodiac
"""

COMMON_WORDS: frozenset[str] = frozenset(_WORDS.split())
"""The words, lower-case."""
