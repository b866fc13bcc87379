"""First names that users of the assistant domain mention.

One spelling of every pronunciation is listed; :data:`NAME_VARIANTS` holds the spellings that an ASR
may write for the same sound. Names that are ordinary words (Will, Grace), cities (Paris, Austin) or
that sound like another listed name (Erin and Aaron) are left out, so that a heard reply can be
judged without guessing.
"""

_MALE = """
Aaron Abel Adam Adrian Ahmed Alan Albert Alexander Alfred Ali Alvin Amir Anders Andre Andrew
Anthony Antonio Arnold Arthur Barry Benedict Benjamin Bernard Boris Bradley Brandon Brendan Brian
Bruce Bruno Byron Caleb Calvin Cameron Carlos Casper Cedric Charles Christian Christopher Clarence
Clark Clayton Colin Connor Conrad Craig Curtis Cyrus Damian Daniel Darren David Declan Dennis
Derek Diego Dominic Donald Douglas Duncan Dustin Dylan Edgar Edmund Eduardo Edward Edwin Eli
Elijah Elliot Emmanuel Enrique Eric Ernest Ethan Eugene Evan Fabian Felix Ferdinand Fernando Finn
Francis Franklin Frederick Gabriel Gareth Gary Gavin Geoffrey George Gerald Gilbert Gordon Graham
Gregory Gustav Harold Harrison Harry Hassan Hector Henry Herbert Howard Hubert Hugo Ian Ibrahim
Igor Isaac Ivan Jacob James Jared Jason Jasper Javier Jeremy Jerome Jesse Joel John Jonah Jonathan
Jordan Joseph Joshua Julian Justin Keith Kenneth Kevin Kyle Lawrence Leo Leonard Leroy Liam Logan
Lorenzo Lucas Luther Malcolm Manuel Marco Marcus Mario Martin Marvin Matthew Maurice Max Maxwell
Michael Miguel Mitchell Mohammed Morgan Nathan Neil Nelson Nicholas Nigel Noah Norman Oliver Omar
Orlando Oscar Otto Owen Pablo Patrick Paul Pedro Perry Peter Philip Quentin Ralph Ramon Randall
Raphael Raymond Ricardo Richard Robert Roberto Roderick Rodney Roger Roland Ronald Ross Roy Rudolf
Rupert Russell Ryan Samuel Scott Sebastian Sergio Seth Simon Solomon Spencer Stanley Stephen
Stuart Sven Terence Theodore Thomas Timothy Tobias Travis Trevor Tristan Tyler Vernon Victor
Vincent Vladimir Walter Warren Wayne Wesley Wilfred William Winston Wyatt Xavier Yusuf Zachary
"""

_FEMALE = """
Abigail Adele Agatha Agnes Alexandra Alice Alison Amanda Amelia Amy Andrea Angela Anita Anna
Annabel Antonia Ariana Astrid Audrey Barbara Beatrice Belinda Bernadette Bethany Bianca Bonnie
Brenda Bridget Camilla Carla Carmen Caroline Cassandra Catherine Cecilia Celeste Chelsea Christina
Claire Clara Claudia Cordelia Cynthia Daphne Deborah Delia Denise Diana Dolores Donna Doris
Dorothy Edith Eleanor Elizabeth Ella Eloise Elsa Emily Emma Erica Esther Eva Evelyn Felicity Fiona
Frida Gabriella Gemma Geraldine Gloria Greta Gwendolyn Hannah Harriet Heather Heidi Helen Helena
Henrietta Hilda Ingrid Irene Isabel Isla Jacqueline Janet Janice Jennifer Jenny Jessica Joanna
Josephine Joyce Judith Julia Juliet Karen Kimberly Kirsten Laura Lauren Leah Lena Leslie Lillian
Linda Lisa Lorraine Louise Lucinda Lucy Lydia Mabel Madeline Magdalena Margaret Maria Marianne
Martha Matilda Megan Melanie Melissa Mercedes Meredith Michelle Mildred Miranda Miriam Molly
Monica Muriel Nadia Nancy Naomi Natalie Natasha Nicole Nina Nora Olivia Ophelia Pamela Patricia
Paula Pauline Penelope Philippa Phoebe Phyllis Priscilla Rachel Rebecca Regina Renata Rita Roberta
Rosalind Rosemary Roxanne Sabrina Sally Samantha Sandra Sarah Selina Serena Sharon Sheila Shirley
Silvia Sonia Sophia Stella Stephanie Susan Susanna Sylvia Tabitha Tamara Tania Tatiana Theresa
Thelma Tiffany Tina Ursula Valerie Vanessa Vera Veronica Vivian Wendy Wilma Winifred Yasmin
Yolanda Yvonne Zoe
"""

MALE_NAMES: tuple[str, ...] = tuple(_MALE.split())
FEMALE_NAMES: tuple[str, ...] = tuple(n for n in _FEMALE.split() if n != "Sylvia")
NAMES: tuple[str, ...] = tuple(sorted(MALE_NAMES + FEMALE_NAMES))

_VARIANTS = """
Aaron:Aron,Arron Abigail:Abbigail Adele:Adelle Adrian:Adrien Ahmed:Ahmad Alan:Allan,Allen
Alexander:Aleksander Alison:Allison,Alyson Amelia:Emilia Amir:Ameer Anders:Andersen
Andre:Andrei,Andrey Anna:Ana Annabel:Annabelle,Anabel Anthony:Antony Ariana:Arianna Barry:Berry
Bernard:Bernhard Boris:Borris Bradley:Bradly Brandon:Branden Brendan:Brenden Brian:Bryan,Bryon
Bridget:Brigitte,Bridgette Caleb:Kaleb Cameron:Camron Camilla:Camila Carla:Karla Carlos:Karlos
Caroline:Carolyn,Carolin Casper:Kasper,Caspar Catherine:Katherine,Kathryn,Katharine
Cecilia:Cecelia Christian:Kristian Christina:Kristina Christopher:Kristopher Claire:Clare,Clair
Clara:Klara Clark:Clarke Claudia:Klaudia Colin:Collin Connor:Conor,Conner Conrad:Konrad
Craig:Kraig Cynthia:Cinthia Damian:Damien,Damon Daniel:Danielle Darren:Darin,Daren
Deborah:Debra,Debora Declan:Deklan Denise:Denice Dennis:Denis Derek:Derrick,Deric
Diana:Dianna,Deanna Dominic:Dominick,Dominique Dylan:Dillon,Dilan Edmund:Edmond
Eleanor:Elinor,Elenor Eli:Ely Elliot:Elliott,Eliot Ella:Ela Eloise:Heloise Emily:Emilie,Emely
Emmanuel:Emanuel Eric:Erik,Erick Erica:Erika,Ericka Esther:Ester Eva:Ava Evelyn:Eveline
Felix:Phelix Felicity:Felicitie Finn:Fin,Phin Fiona:Viona Francis:Frances
Frederick:Fredrick,Frederic Frida:Frieda,Freda Gabriella:Gabriela Gareth:Garreth Gary:Garry
Gemma:Jemma Geoffrey:Jeffrey,Jeffery Gerald:Jerald Graham:Graeme Gregory:Gregor
Gustav:Gustave,Gustaf Gwendolyn:Gwendolin,Gwendoline Hannah:Hanna Harold:Harald Harriet:Harriett
Harry:Hary,Hairy Hassan:Hasan Heather:Hether Helen:Hellen Helena:Elena,Hellena Hubert:Hugh
Hugo:Ugo Ian:Iain,Ean Ingrid:Ingred Irene:Irena,Eileen Isaac:Izaak,Isaak
Isabel:Isabelle,Isobel,Isabell Isla:Ila,Eila,Ayla Jacob:Jakob Jacqueline:Jaqueline,Jacquelyn
Janet:Jannet Janice:Janis Jared:Jarrod,Jarred Jasper:Jesper Jennifer:Jenifer Jenny:Jennie,Jeny
Jeremy:Jeremie Jerome:Gerome Jesse:Jessie Joanna:Johanna,Joana John:Jon Jonah:Jona,Jonas
Jonathan:Jonathon,Johnathan Joyce:Joice Judith:Judit Julian:Julien,Jillian Juliet:Juliette
Karen:Karin,Caren Keith:Keeth Kevin:Kevan Kirsten:Kristen,Kirstin,Kristin Kyle:Kile Laura:Lora
Lauren:Loren Lawrence:Laurence,Lorenz Leah:Lea,Lia,Leia Lena:Lina,Leena Leo:Lio Leonard:Lenard
Leslie:Lesley,Lesly Lillian:Lilian,Lillyan Linda:Lynda Lisa:Leesa,Liza Lorraine:Loraine
Louise:Luise Lucas:Lukas Lucy:Lucie Lydia:Lidia Madeline:Madeleine,Madelyn,Madalyn Malcolm:Malcom
Marco:Marko Marcus:Markus Margaret:Margret Marianne:Marian,Maryanne Mario:Marrio Matilda:Mathilda
Matthew:Mathew Maurice:Morris Megan:Meghan,Meagan Melanie:Melany Melissa:Melisa
Michael:Micheal,Mikael Michelle:Michele Miriam:Mariam,Myriam Mitchell:Mitchel
Mohammed:Mohamed,Muhammad,Mohammad Molly:Mollie Monica:Monika Morgan:Morgen Muriel:Meriel
Nadia:Nadja,Nadya Naomi:Naomie Natalie:Nathalie Natasha:Natascha Neil:Neal,Kneel
Nicholas:Nicolas,Nickolas Nicole:Nichole,Nicola Nina:Nena,Neena Noah:Noa Nora:Norah Olivia:Alivia
Ophelia:Ofelia Orlando:Orlanda Owen:Owain Paul:Pol Paula:Pola Pauline:Paulene Peter:Pieter
Philip:Phillip,Philipp,Phil Philippa:Phillipa Phoebe:Phebe,Feebie Phyllis:Phillis
Quentin:Quinton,Quinten Rachel:Rachael Ralph:Ralf Raphael:Rafael Rebecca:Rebekah,Rebeca
Renata:Renate Richard:Ritchard Roderick:Roderic Roland:Rolland Rosalind:Rosalyn Rosemary:Rosemarie
Ross:Roz,Ros Roxanne:Roxane,Roxann Roy:Roi Rudolf:Rudolph Russell:Russel Ryan:Rian Samuel:Samual
Sandra:Sandre,Sondra Sarah:Sara Scott:Scot Sebastian:Sebastien Selina:Selena,Celina
Shirley:Shirly,Shurley Silvia:Sylvia,Sylvie Simon:Simone,Symon Solomon:Salomon Sonia:Sonya,Sonja
Sophia:Sofia,Sophie Spencer:Spenser Stephanie:Stefanie,Stephany Stephen:Steven,Stefan,Stephan
Stuart:Stewart Susan:Suzan,Susanne Susanna:Susannah,Suzanna Sven:Svenn,Swen Tabitha:Tabatha
Tamara:Tamera Tania:Tanya,Tonya Tatiana:Tatyana Terence:Terrence,Terrance Theodore:Theodor
Theresa:Teresa,Therese Thomas:Tomas Timothy:Timothee Tobias:Tobius Tristan:Tristen,Tristram
Tyler:Tylor Valerie:Valery Vanessa:Venessa Vera:Veera Victor:Viktor Vincent:Vinson
Vivian:Vivien,Vivienne Vladimir:Vladimer Walter:Valter Wayne:Wain,Wane Wesley:Westley Wyatt:Wyett
Xavier:Zavier,Javier Yasmin:Jasmin,Jasmine,Yasmine Yolanda:Jolanda Yusuf:Yousef,Youssef,Yosef
Yvonne:Evonne,Ivonne Zachary:Zachery,Zackary Zoe:Zoey,Zoie
"""

NAME_VARIANTS: dict[str, tuple[str, ...]] = {
    name: tuple(forms.split(","))
    for name, forms in (entry.split(":") for entry in _VARIANTS.split())
}
"""Spellings that an ASR may write for a listed name."""
