//! Invented customers. The surnames say that they are: no phone book has them.

use crate::dice::Dice;

/// Sites, one OLT each before any gets a second.
pub(crate) const SITES: &[&str] = &["RJO", "SAO", "BHZ", "CWB", "REC", "FOR", "MAO", "POA"];
pub(crate) const ONU_MODELS: &[&str] = &["EG8145V5", "EG8145X6", "HG8546M", "HG8245Q2", "EG8141A5", "HG8310M"];
pub(crate) const PLANS: &[&str] = &["300M", "500M", "500M", "700M", "1G"];

const FIRST: &[&str] = &[
    "Ana",
    "Bento",
    "Caetana",
    "Davi",
    "Elza",
    "Fausto",
    "Gilda",
    "Heitor",
    "Iara",
    "Jonas",
    "Lia",
    "Mariana",
    "Nilo",
    "Olívia",
    "Pedro",
    "Quitéria",
    "Rosa",
    "Saulo",
    "Tereza",
    "Ubirajara",
    "Vera",
    "Wanda",
    "Xisto",
    "Zeca",
];
const LAST: &[&str] = &[
    "Exemplo",
    "Fictícia",
    "Imaginário",
    "Inventada",
    "Quimera",
    "de Tal",
    "Fulano",
    "Beltrano",
    "Sicrano",
    "Faz-de-Conta",
    "Sem-Nome",
    "da Fábula",
];
const STREETS: &[&str] = &[
    "Rua das Jabuticabas",
    "Rua do Faz-de-Conta",
    "Travessa do Exemplo",
    "Avenida Inventada",
    "Rua Fictícia",
    "Beco do Boto",
    "Ladeira do Saci",
    "Rua da Iara",
    "Praça do Curupira",
    "Estrada da Cuca",
];
const EXTRA: &[&str] = &["", "", ", casa 2", ", fundos", ", ap 301", ", bloco B", ", loja"];

pub(crate) fn customer(dice: &mut Dice) -> String {
    format!("{} {}", dice.pick(FIRST), dice.pick(LAST))
}

pub(crate) fn street(dice: &mut Dice) -> String {
    format!("{}, {}{}", dice.pick(STREETS), dice.below(990) + 10, dice.pick(EXTRA))
}
