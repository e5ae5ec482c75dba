//! What a seed says of a world before it begins: who lives in it, which records ops begin with, and what everybody does when.

use cadence_local::{Ending, records::shipped};
use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use serde_json::{Value, json};

use super::{
    climate::Climate,
    company::{away, everywhere, message},
    drafts::Shelf,
    draws::{Draws, between, happens, one_of, weighted},
    people::{Person, Tells},
};
use crate::Tested;

/// What a seed says of its world.
pub(crate) struct Plan {
    /// What else is drawn for it.
    pub(crate) draws: Draws,
    /// When it begins.
    pub(crate) start: DateTime<Utc>,
    /// How much goes wrong.
    pub(crate) climate: Climate,
    /// Who may become a lead.
    pub(crate) people: Vec<Person>,
    /// What ops write before the first lead comes.
    pub(crate) records: Vec<Value>,
    /// What everybody does, in order.
    pub(crate) deeds: Vec<Deed>,
    /// How long things go wrong.
    pub(crate) lasts: TimeDelta,
}

/// Something that somebody does.
#[derive(Clone, Debug)]
pub(crate) struct Deed {
    /// Its number, by which it can be left out.
    pub(crate) number: usize,
    /// When, after the world's start.
    pub(crate) at: TimeDelta,
    /// What.
    pub(crate) what: What,
}

/// What somebody does.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A vendor posts a webhook.
    Posts(Post),
    /// A user looks at their tasks and completes some.
    Works {
        /// Which user, by their place in the list.
        user: usize,
    },
    /// The voice agent reports once more on a call, perhaps otherwise.
    Reports,
    /// Somebody follows the unsubscribe link of an email that they got; a scanner only looks.
    Unsubscribes {
        /// Whose emails.
        person: usize,
        /// Whether a person confirms it.
        confirms: bool,
    },
    /// From now on calls to somebody end otherwise.
    Answers {
        /// Who.
        person: usize,
    },
    /// Ops edit a record.
    Edits(Edit),
    /// Whoever has the task of a step completes it so.
    Completes {
        /// The step.
        step: &'static str,
        /// How it went.
        outcome: &'static str,
    },
    /// From now on calls to somebody end so.
    Ends {
        /// Who.
        person: usize,
        /// How.
        ending: Ending,
    },
    /// The voice agent reports on its latest call so.
    Tells {
        /// In the vendor's words.
        reason: &'static str,
        /// What its analysis makes of the talk; nothing if it is empty.
        outcome: &'static str,
    },
}

/// A webhook.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    /// The source that it comes from.
    pub(crate) source: &'static str,
    /// The body.
    pub(crate) body: String,
    /// Whom it names.
    pub(crate) names: Vec<usize>,
    /// Whether it carries the source's secret.
    pub(crate) has_secret: bool,
    /// Whether it says how to reach somebody.
    pub(crate) is_good: bool,
}

/// An edit of a record.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    /// A cadence gets other steps, or a message other words.
    Redraw {
        /// The record.
        pk: String,
        /// Its content.
        record: Value,
    },
    /// A record is broken.
    Break {
        /// The record.
        pk: String,
    },
    /// A field gets another value.
    Set {
        /// The record.
        pk: String,
        /// The field.
        field: &'static str,
        /// Its value.
        value: Value,
    },
    /// A record is deleted.
    Delete {
        /// The record.
        pk: String,
        /// Whether it is taken out of use before, so that it may go.
        retires: bool,
    },
    /// A record says again what an earlier version of it said.
    Restore {
        /// The record.
        pk: String,
    },
}

const SOURCES: [(u32, &str); 3] = [(5, "zillow"), (2, "plain"), (1, "gizmo")];
/// The cadences of a world; the first may be led to by the others.
const CADENCES: [&str; 3] = ["nurture", "zillow-purchase", "new-lead"];
/// The messages that are edited.
const MESSAGES: [&str; 7] =
    ["sms/intro", "sms/follow-up", "sms/news", "email/intro", "email/follow-up", "email/news", "script/news"];
/// A Tuesday in December 2026; worlds begin within the year after it.
const FIRST_START: i64 = 1_796_148_000;

impl Plan {
    /// What that seed says.
    pub(crate) fn of_seed(seed: u64) -> Tested<Self> {
        let draws = Draws::of_seed(seed);
        let mut rng = draws.of("world", 0);
        let start = DateTime::from_timestamp(FIRST_START + rng.i64(0..365 * 24 * 60) * 60, 0).unwrap_or_default();
        let count = weighted(&mut rng, &[(1, 5), (2, 15), (3, 30), (4, 50)]).unwrap_or(15);
        let count = rng.usize(count / 2..=count);
        let hours = weighted(&mut rng, &[(2, 3), (3, 20), (3, 72), (1, 150)]).unwrap_or(20);
        let lasts = between(&mut rng, TimeDelta::hours(hours / 2), TimeDelta::hours(hours));
        let people: Vec<Person> =
            (0..count).map(|number| Person::drawn(number, &mut draws.of("person", number as u64))).collect();
        let shipped = shipped()?;
        let mut shelf = Shelf::of(&shipped)?;
        let mut records = shelf.company(&shipped, start, draws);
        let cadences = CADENCES.iter().enumerate().filter(|_| happens(&mut rng, 0.8));
        records.extend(cadences.filter_map(|(which, id)| shelf.cadence(id, draws, which as u64)));
        let mut deeds = Deeds { draws, people: &people, start, lasts, shelf, drawn: Vec::new() };
        deeds.draw(&mut rng);
        let mut drawn = deeds.drawn;
        drawn.sort_by_key(|(at, _)| *at);
        let deeds = drawn.into_iter().enumerate().map(|(number, (at, what))| Deed { number, at, what }).collect();
        Ok(Self { draws, start, climate: Climate::drawn(draws, lasts), people, records, deeds, lasts })
    }
}

/// The deeds of a plan in the making.
struct Deeds<'a> {
    draws: Draws,
    people: &'a [Person],
    start: DateTime<Utc>,
    lasts: TimeDelta,
    shelf: Shelf,
    drawn: Vec<(TimeDelta, What)>,
}

impl Deeds<'_> {
    fn draw(&mut self, rng: &mut Rng) {
        // Most leads come early, so that there is time for their cadences.
        let arrive = between(rng, TimeDelta::minutes(1), self.lasts / 2);
        for person in self.people {
            self.arrivals(*person, arrive);
        }
        let count = self.people.len();
        for _ in 0..2 + count * 2 {
            let user = rng.usize(..2);
            self.sometime(What::Works { user }, rng);
        }
        for _ in 0..count / 2 {
            self.sometime(What::Reports, rng);
        }
        for person in 0..count {
            self.sometime(What::Answers { person }, rng);
            self.drawn.push((TimeDelta::zero(), What::Answers { person }));
            if happens(rng, 0.3) {
                let confirms = happens(rng, 0.7);
                self.sometime(What::Unsubscribes { person, confirms }, rng);
            }
        }
        for which in 0..rng.u64(0..9) {
            if let Some(edit) = self.edit(which) {
                self.sometime(What::Edits(edit), rng);
            }
        }
    }

    fn sometime(&mut self, what: What, rng: &mut Rng) {
        let at = between(rng, TimeDelta::seconds(1), self.lasts);
        self.drawn.push((at, what));
    }

    /// The webhooks that name somebody.
    fn arrivals(&mut self, person: Person, within: TimeDelta) {
        let mut rng = self.draws.of("arrival", person.number as u64);
        let at = between(&mut rng, TimeDelta::seconds(1), within);
        let post = self.post(person, 1, at, &mut rng);
        if happens(&mut rng, 0.3) {
            // The vendor sends it once more, at once or later.
            let most = [TimeDelta::milliseconds(50), TimeDelta::minutes(3), TimeDelta::hours(8)];
            let most = one_of(&mut rng, &most).copied().unwrap_or_default();
            let again = at + between(&mut rng, TimeDelta::milliseconds(1), most);
            self.drawn.push((again, What::Posts(post.clone())));
        }
        self.drawn.push((at, What::Posts(post)));
        for event in 2..rng.u32(2..4) {
            if happens(&mut rng, 0.3) {
                let at = between(&mut rng, TimeDelta::seconds(1), self.lasts);
                let post = self.post(person, event, at, &mut rng);
                self.drawn.push((at, What::Posts(post)));
            }
        }
    }

    fn post(&self, person: Person, event: u32, at: TimeDelta, rng: &mut Rng) -> Post {
        let source = weighted(rng, &SOURCES).unwrap_or("zillow");
        let has_phone = happens(rng, 0.93);
        let tells = Tells {
            phone: has_phone,
            email: !has_phone || happens(rng, 0.9),
            state: happens(rng, 0.85),
            zip: happens(rng, 0.5),
        };
        let id = format!("EVENT-{:04}-{event}", person.number);
        let mut body = person.webhook(source, &id, tells, rng);
        let mut names = vec![person.number];
        if happens(rng, 0.06)
            && let Some(other) = one_of(rng, self.people)
        {
            names.push(other.number);
            for path in ["/sender/emailAddress", "/email"] {
                if let Some(email) = body.pointer_mut(path) {
                    *email = json!(other.email());
                }
            }
        }
        let age = weighted(rng, &[(8, 0), (1, 30), (1, 300)]).unwrap_or(0);
        let created = (self.start + at - TimeDelta::minutes(age)).to_rfc3339();
        if let (Some(fields), false) = (body.as_object_mut(), source == "gizmo") {
            fields.insert(if source == "plain" { "created_at" } else { "created" }.to_owned(), json!(created));
        }
        if source == "plain"
            && happens(rng, 0.2)
            && let Some(fields) = body.as_object_mut()
        {
            // Nothing but the body tells it from others.
            fields.remove("id");
        }
        let kind = weighted(rng, &[(40, 'g'), (1, 'x'), (1, 'n')]);
        let body = match kind {
            Some('x') => body.to_string().chars().take(40).collect(),
            Some('n') => json!({ "id": id, "crmId": id, "nobody": person.number }).to_string(),
            _ => body.to_string(),
        };
        Post { source, body, names, has_secret: happens(rng, 0.97), is_good: kind == Some('g') }
    }

    fn edit(&mut self, which: u64) -> Option<Edit> {
        let mut rng = self.draws.of("edit", which);
        let id = one_of(&mut rng, &CADENCES[1..]).copied()?;
        let (user, other) = one_of(&mut rng, &[("lo-riley", "lo-morgan"), ("lo-morgan", "lo-riley")]).copied()?;
        let said = one_of(&mut rng, &MESSAGES).copied()?;
        let pk = format!("CADENCE#{id}");
        let any = [pk.clone(), format!("MESSAGE#{said}"), format!("USER#{user}"), "SOURCE#plain".to_owned()];
        let any_of = |rng: &mut Rng| any.get(weighted(rng, &[(5, 0), (4, 1), (2, 2), (1, 3)])?).cloned();
        let of_user = |field, value| Some(Edit::Set { pk: format!("USER#{user}"), field, value });
        let edits = [
            (4, 'r'),
            (3, 'b'),
            (3, 's'),
            (1, 'u'),
            (1, 'l'),
            (1, 'g'),
            (2, 'o'),
            (1, 'c'),
            (1, 'n'),
            (3, 'm'),
            (3, 'd'),
            (3, 'v'),
        ];
        match weighted(&mut rng, &edits)? {
            'r' => {
                let record = self.shelf.cadence(id, self.draws, 100 + which)?;
                Some(Edit::Redraw { pk, record })
            }
            'b' => Some(Edit::Break { pk: if happens(&mut rng, 0.8) { pk } else { format!("MESSAGE#{said}") } }),
            's' => {
                let status = one_of(&mut rng, &["live", "live", "paused", "paused", "off", "archived"]).copied()?;
                Some(Edit::Set { pk, field: "status", value: json!(status) })
            }
            'u' => of_user("active", json!(rng.bool())),
            'l' => {
                let some = [json!(["CA", "TX"]), json!(["WA", "CO", "CA"]), everywhere()];
                of_user("licences", one_of(&mut rng, &some)?.clone())
            }
            'g' => of_user(
                "groups",
                one_of(&mut rng, &[json!(["callers"]), json!(["callers", "closers"]), json!([])])?.clone(),
            ),
            'o' => of_user("out_of_office", away(other, self.start, &mut rng)),
            'c' => {
                let caps = json!({ "contacts_per_day": rng.u32(1..4), "sms_per_day": rng.u32(1..3) });
                Some(Edit::Set { pk: "SETTINGS#company".to_owned(), field: "caps", value: caps })
            }
            'n' => Some(Edit::Set { pk: any_of(&mut rng)?, field: "note", value: json!(format!("edited {which}")) }),
            'm' => Some(Edit::Redraw { pk: format!("MESSAGE#{said}"), record: message(said, &mut rng) }),
            'd' => Some(Edit::Delete { pk: any_of(&mut rng)?, retires: happens(&mut rng, 0.4) }),
            _ => Some(Edit::Restore { pk: any_of(&mut rng)? }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_says_the_same_each_time_and_every_kind_of_deed_comes_up() {
        let told = |seed| {
            let plan = Plan::of_seed(seed).unwrap();
            format!("{} {:?} {:?} {:?}", plan.start, plan.people, plan.records, plan.deeds)
        };
        assert_eq!(told(3), told(3));
        assert_ne!(told(3), told(4));
        let all: String = (0..12).map(told).collect();
        for kind in
            ["Posts", "Works", "Reports", "Unsubscribes", "Answers", "Redraw", "Break", "Set", "Delete", "Restore"]
        {
            assert!(all.contains(kind), "{kind}");
        }
        for field in ["on_overdue", "round_robin: callers", "\"sms/news\": Number(50)", "stand_in", "out_of_office"] {
            assert!(all.contains(field), "{field}");
        }
    }

    #[test]
    fn a_world_is_small_and_its_deeds_are_in_order() {
        for seed in 0..30 {
            let plan = Plan::of_seed(seed).unwrap();
            assert!((1..=50).contains(&plan.people.len()));
            // What a draft gets wrong is left out of a world; what all of them have is not drawn to be wrong.
            for pk in
                ["USER#lo-riley", "USER#lo-morgan", "MESSAGE#sms/news", "MESSAGE#email/news", "MESSAGE#script/news"]
            {
                assert!(plan.records.iter().any(|record| record.get("pk") == Some(&json!(pk))), "{seed} lacks {pk}");
            }
            assert!(plan.deeds.is_sorted_by_key(|deed| deed.at));
            assert!(plan.deeds.iter().all(|deed| deed.at <= plan.lasts + TimeDelta::hours(9)));
        }
    }
}
