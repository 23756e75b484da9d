#ifndef SANDBOX_PEOPLE_NAMES_H
#define SANDBOX_PEOPLE_NAMES_H
/* The words the population is made of. Every name stands beside its spelling in an e-mail address. */
struct name_word {
    const char *text, *ascii;
};
struct place {
    const char *city, *state, *zip, *country, *dial;
};

static const struct name_word first_names[] = {
    {"Anna", "anna"},       {"José", "jose"},        {"Mária", "maria"},    {"Oleg", "oleg"},
    {"Zoë", "zoe"},         {"Łukasz", "lukasz"},    {"Søren", "soren"},    {"François", "francois"},
    {"Priya", "priya"},     {"Chidi", "chidi"},      {"Mei", "mei"},        {"Haruto", "haruto"},
    {"Björn", "bjorn"},     {"Inês", "ines"},        {"Jürgen", "juergen"}, {"Siobhán", "siobhan"},
    {"Ahmed", "ahmed"},     {"Fatima", "fatima"},    {"Dmytro", "dmytro"},  {"Олена", "olena"},
    {"Nguyễn", "nguyen"},   {"Čeněk", "cenek"},      {"Þóra", "thora"},     {"Ömer", "oemer"},
    {"Emma", "emma"},       {"Liam", "liam"},        {"Noah", "noah"},      {"Olivia", "olivia"},
    {"Mateo", "mateo"},     {"Sofía", "sofia"},      {"Rahul", "rahul"},    {"Leila", "leila"},
    {"Tomasz", "tomasz"},   {"Aleksandra", "aleks"}, {"Giulia", "giulia"},  {"Marco", "marco"},
    {"Ayşe", "ayse"},       {"Katarzyna", "kasia"},  {"山田", "yamada"},    {"Γιώργος", "giorgos"},
    {"Renée", "renee"},     {"Jonas", "jonas"},      {"Astrid", "astrid"},  {"Paulo", "paulo"},
    {"Beatriz", "beatriz"}, {"Hannah", "hannah"},    {"Samuel", "samuel"},  {"Ruth", "ruth"},
};
static const struct name_word last_names[] = {
    {"Müller", "mueller"},
    {"García", "garcia"},
    {"O'Brien", "obrien"},
    {"Nowak", "nowak"},
    {"Kowalczyk", "kowalczyk"},
    {"Øvergård", "overgard"},
    {"Lefèvre", "lefevre"},
    {"Nakamura", "nakamura"},
    {"Петренко", "petrenko"},
    {"Smith", "smith"},
    {"Johnson", "johnson"},
    {"Singh", "singh"},
    {"Okafor", "okafor"},
    {"Silva", "silva"},
    {"Gonçalves", "goncalves"},
    {"Dvořák", "dvorak"},
    {"Weiß", "weiss"},
    {"Þorsteinsson", "thorsteinsson"},
    {"Ivanov", "ivanov"},
    {"Yılmaz", "yilmaz"},
    {"Trần", "tran"},
    {"Chen", "chen"},
    {"Kim", "kim"},
    {"Rossi", "rossi"},
    {"Bianchi", "bianchi"},
    {"Dubois", "dubois"},
    {"Lindström", "lindstrom"},
    {"Håkansson", "hakansson"},
    {"Nuñez", "nunez"},
    {"Peña", "pena"},
    {"Horváth", "horvath"},
    {"Szabó", "szabo"},
    {"Popescu", "popescu"},
    {"Ionescu", "ionescu"},
    {"Jansen", "jansen"},
    {"de Vries", "devries"},
    {"van den Berg", "vandenberg"},
    {"Andersson", "andersson"},
    {"Nielsen", "nielsen"},
    {"Haddad", "haddad"},
    {"Cohen", "cohen"},
    {"Mbeki", "mbeki"},
    {"Patel", "patel"},
    {"Sharma", "sharma"},
    {"Brown", "brown"},
    {"Wilson", "wilson"},
    {"Taylor", "taylor"},
    {"Murphy", "murphy"},
};
static const char *const company_first[] = {
    "Northwind", "Alder",   "Brücke", "Café",   "Delta",  "Ember",   "Fjord",    "Granit",  "Harbor", "Ingot",
    "Juniper",   "Kestrel", "Lumen",  "Meadow", "Nimbus", "Orchard", "Pinnacle", "Quarry",  "Río",    "Summit",
    "Tundra",    "Umber",   "Vertex", "Willow", "Xylo",   "Yarrow",  "Zephyr",   "Åkerman", "Çelik",  "Öresund",
};
static const char *const company_second[] = {
    "Logistics", "Foods",  "Textiles", "Energy", "Systems", "Optics",   "Marine", "Paper", "Motors", "Dental",
    "Robotics",  "Travel", "Seeds",    "Glass",  "Print",   "Services", "Cycles", "Water", "Audio",  "Timber",
};
static const char *const company_form[] = {"GmbH", "Ltd", "S.A.",       "AB",   "Inc.",
                                           "B.V.", "Oy",  "sp. z o.o.", "Kft.", "Lda"};
static const char *const industries[] = {"Manufacturing", "Retail", "Transportation",
                                         "Education",     "Energy", "Technology"};
static const char *const titles[] = {"Head of Support",   "Purchasing Manager",  "Office Manager", "CTO",
                                     "Geschäftsführerin", "Directeur technique", "Engineer",       "Buyer"};
static const char *const streets[] = {"High Street",       "Hauptstraße", "Rua da Prata", "ulica Długa",
                                      "Avenue de la Gare", "Strandgatan", "Via Roma",     "Calle Mayor"};
static const struct place places[] = {
    {"London", "England", "EC1A 1BB", "United Kingdom", "44"},
    {"München", "Bayern", "80331", "Germany", "49"},
    {"Lisboa", "Lisboa", "1100-048", "Portugal", "351"},
    {"Gdańsk", "Pomorskie", "80-831", "Poland", "48"},
    {"Lyon", "Rhône", "69002", "France", "33"},
    {"Malmö", "Skåne", "211 20", "Sweden", "46"},
    {"Bologna", "Emilia", "40121", "Italy", "39"},
    {"Málaga", "Andalucía", "29001", "Spain", "34"},
};
#endif
