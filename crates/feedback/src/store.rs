//! The folder of feedback.
//!
//! ```text
//! feedback.json          version and public key
//! lock                   held by whoever reads or writes
//! consents/HASH.json     a consent that lasts, by the hash of its code
//! items/ID.json          numbers of an item
//! faces/ID.age           its face, encrypted
//! ```
//!
//! A face is in the folder only while its consent is. What breaks this, as a crash in between can, is
//! put right by deleting the face.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::accuracy::Accuracy;
use crate::code::Code;
use crate::day::Day;
use crate::draw::{Drawn, chance};
use crate::error::FeedbackError;
use crate::files::{self, delete, make_private_folder, write_private};
use crate::item::{Answer, Item, ItemId, Reading};
use crate::key::Key;
use crate::picture::Picture;

/// The version of the folder that this program writes.
const VERSION: u64 = 1;

/// Items that are kept at most: about 150 MB of faces.
pub const MOST_ITEMS: usize = 5000;

/// Days that a face can be kept at most.
pub const MOST_KEEP_DAYS: u32 = 365;

const MARKER: &str = "feedback.json";
const LOCK: &str = "lock";
const CONSENTS: &str = "consents";
const ITEMS: &str = "items";
const FACES: &str = "faces";
const JSON: &str = ".json";
const AGE: &str = ".age";

/// A folder of feedback. Programs and threads may share it: each call holds its lock.
#[derive(Debug, Clone)]
pub struct FeedbackStore {
    folder: PathBuf,
}

#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    version: u64,
    /// The public key, so that faces are not encrypted for two.
    recipient: String,
}

/// A consent as the folder knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ConsentFile {
    place: String,
    /// The last day on which its faces are kept.
    until: Day,
    visit: u64,
}

/// What a person gets when they consent.
#[derive(Debug, Clone)]
pub struct Consent {
    /// To be shown to the person, and to nobody else.
    pub code: Code,
    /// With it faces of this consent can be kept.
    pub ticket: Ticket,
    /// The last day on which faces are kept.
    pub until: Day,
}

/// What lets faces of one consent be kept.
#[derive(Debug, Clone)]
pub struct Ticket {
    consent: String,
    visit: u64,
}

/// How much there is, or was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Counts {
    /// Consents that last.
    pub consents: u64,
    /// Faces, encrypted.
    pub faces: u64,
    /// Items that nobody has reviewed.
    pub waiting: u64,
    /// Items that were reviewed.
    pub answered: u64,
}

/// How much there is and what it says.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Summary {
    /// How much there is.
    pub counts: Counts,
    /// How many answers of each kind, by their words.
    pub answers: BTreeMap<String, u64>,
    /// What they say of all readings.
    pub accuracy: Accuracy,
}

/// An item for a reviewer, and how many more there are.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// The item; nothing where none waits.
    pub item: Option<(ItemId, Item)>,
    /// How many wait, with this one.
    pub waiting: u64,
}

/// An item of which a reviewer said something.
pub(crate) struct Answered {
    pub(crate) id: ItemId,
    pub(crate) item: Item,
    pub(crate) answer: Answer,
    /// PNG.
    pub(crate) face: Option<Vec<u8>>,
}

/// Holds the folder until it is dropped.
struct Held<'a> {
    folder: &'a Path,
    _lock: File,
}

impl FeedbackStore {
    /// Opens a folder, or makes it where there is none.
    ///
    /// # Errors
    /// If it is something else, of a newer version, or for another key.
    pub fn open_or_make(folder: &Path, key: &Key) -> Result<Self, FeedbackError> {
        let store = Self { folder: folder.to_owned() };
        if !folder.exists() {
            make_private_folder(folder)?;
        }
        let marker = folder.join(MARKER);
        if !marker.exists() {
            if let Some(found) = first_name(folder)? {
                return Err(FeedbackError::NotFeedback { path: folder.to_owned(), found });
            }
            let content = Marker { version: VERSION, recipient: key.recipient() };
            write_private(&marker, &json(&content))?;
        }
        let known = store.check()?;
        if known.recipient != key.recipient() {
            let held = store.hold()?;
            // Nothing is lost where there is no face.
            if !held.names(FACES, AGE)?.is_empty() {
                let (folder, key) = (folder.to_owned(), key.path().to_owned());
                return Err(FeedbackError::OtherKey { folder, key });
            }
            write_private(
                &marker,
                &json(&Marker { version: VERSION, recipient: key.recipient() }),
            )?;
        }
        Ok(store)
    }

    /// Opens a folder that is there, for what needs no key.
    ///
    /// # Errors
    /// If there is none, or of a newer version.
    pub fn open(folder: &Path) -> Result<Self, FeedbackError> {
        let store = Self { folder: folder.to_owned() };
        store.check()?;
        Ok(store)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn check(&self) -> Result<Marker, FeedbackError> {
        let path = self.folder.join(MARKER);
        let Some(content) = files::read(&path)? else {
            let found = match first_name(&self.folder) {
                Ok(Some(name)) => name,
                Ok(None) => "nothing".to_owned(),
                Err(error) => return Err(error),
            };
            return Err(FeedbackError::NotFeedback { path: self.folder.clone(), found });
        };
        let marker: Marker = serde_json::from_slice(&content).map_err(|error| {
            FeedbackError::Damaged { path: path.clone(), reason: error.to_string() }
        })?;
        if marker.version != VERSION {
            let (path, found) = (self.folder.clone(), marker.version);
            return Err(FeedbackError::TooNew { path, found, known: VERSION });
        }
        for part in [CONSENTS, ITEMS, FACES] {
            make_private_folder(&self.folder.join(part))?;
        }
        Ok(marker)
    }

    fn hold(&self) -> Result<Held<'_>, FeedbackError> {
        let path = self.folder.join(LOCK);
        let open = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        let lock = open.map_err(FeedbackError::io(&path))?;
        lock.lock().map_err(FeedbackError::io(&path))?;
        Ok(Held { folder: &self.folder, _lock: lock })
    }

    /// A person agrees that faces of theirs are kept for so many days after today.
    ///
    /// # Errors
    /// If the folder is full or cannot be written, or `keep_days` is not offered.
    pub fn consent(
        &self,
        place: &str,
        keep_days: u32,
        today: Day,
    ) -> Result<Consent, FeedbackError> {
        if !(1..=MOST_KEEP_DAYS).contains(&keep_days) {
            return Err(FeedbackError::KeepDays { found: keep_days, most: MOST_KEEP_DAYS });
        }
        let held = self.hold()?;
        held.put_right(today)?;
        held.check_room()?;
        let code = Code::new()?;
        let mut random = [0; 4];
        getrandom::fill(&mut random).map_err(FeedbackError::Random)?;
        let visit = u64::from(u32::from_ne_bytes(random));
        let until = today.plus(keep_days);
        let ticket = Ticket { consent: code.hash(), visit };
        let content = ConsentFile { place: place.to_owned(), until, visit };
        write_private(&held.path(CONSENTS, &ticket.consent, JSON), &json(&content))?;
        Ok(Consent { code, ticket, until })
    }

    /// Keeps a face that was drawn, encrypted, with what the network said of it.
    ///
    /// # Errors
    /// If the consent is over, the folder is full or cannot be written.
    pub fn keep(
        &self,
        key: &Key,
        ticket: &Ticket,
        reading: Reading,
        drawn: Drawn,
        picture: &Picture,
        today: Day,
    ) -> Result<ItemId, FeedbackError> {
        // Outside the lock: others need not wait for it.
        let face = key.encrypt(picture.png())?;
        let held = self.hold()?;
        let consent = held.consents()?.remove(&ticket.consent);
        let consent = consent.filter(|consent| today <= consent.until);
        let consent = consent.ok_or(FeedbackError::NoConsent)?;
        held.check_room()?;
        let id = ItemId::new()?;
        let item = Item {
            place: consent.place,
            day: today,
            chance: chance(&reading.probabilities),
            reading,
            drawn,
            visit: ticket.visit,
            consent: Some(ticket.consent.clone()),
            answer: None,
        };
        // In this order: a face without its numbers is deleted at the next opportunity.
        write_private(&held.path(FACES, id.as_str(), AGE), &face)?;
        if let Err(error) = write_private(&held.path(ITEMS, id.as_str(), JSON), &json(&item)) {
            held.delete_item(&id).ok();
            return Err(error);
        }
        Ok(id)
    }

    /// How many faces of a consent are kept.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn kept(&self, ticket: &Ticket) -> Result<u64, FeedbackError> {
        let items = self.hold()?.items()?;
        let is_its = |item: &&Item| item.consent.as_deref() == Some(&ticket.consent);
        Ok(items.values().filter(is_its).count() as u64)
    }

    /// Deletes everything of the consent with this code, answers too: what was deleted, or nothing
    /// where no consent has this code.
    ///
    /// # Errors
    /// If something cannot be deleted; then calling it again deletes the rest.
    pub fn withdraw(&self, code: &Code) -> Result<Option<Counts>, FeedbackError> {
        let (held, consent) = (self.hold()?, code.hash());
        let path = held.path(CONSENTS, &consent, JSON);
        if files::read(&path)?.is_none() {
            return Ok(None);
        }
        let mut gone = Counts { consents: 1, ..Counts::default() };
        for (id, item) in held.items()? {
            if item.consent.as_deref() == Some(&consent) {
                gone.faces += u64::from(held.delete_item(&id)?);
                *(if item.answer.is_some() { &mut gone.answered } else { &mut gone.waiting }) += 1;
            }
        }
        gone.faces += held.delete_strays()?;
        // Last: so that a code whose work was cut short still works.
        delete(&path)?;
        Ok(Some(gone))
    }

    /// Deletes the faces whose last day is over, and whatever a crash left behind. Answers stay, as
    /// numbers of nobody. How many faces were deleted.
    ///
    /// # Errors
    /// If something cannot be deleted.
    pub fn expire(&self, today: Day) -> Result<u64, FeedbackError> {
        self.hold()?.put_right(today)
    }

    /// Deletes everything, answers too: what was deleted.
    ///
    /// # Errors
    /// If something cannot be deleted; then calling it again deletes the rest.
    pub fn empty(&self) -> Result<Counts, FeedbackError> {
        let held = self.hold()?;
        let gone = held.counts()?;
        for (part, ending) in [(FACES, AGE), (ITEMS, JSON), (CONSENTS, JSON)] {
            for name in held.names(part, ending)? {
                delete(&held.path(part, &name, ending))?;
            }
        }
        Ok(gone)
    }

    /// The next item for a reviewer: in an order that tells nothing, so that the answers speak of all
    /// items also where the reviewer stops early.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn next(&self) -> Result<Review, FeedbackError> {
        let held = self.hold()?;
        let mut waiting = held.items()?.into_iter().filter(|(_, item)| item.answer.is_none());
        let item = waiting.next();
        let waiting = waiting.count() as u64 + u64::from(item.is_some());
        Ok(Review { item, waiting })
    }

    /// The face of an item; nothing where it is no more.
    ///
    /// # Errors
    /// If it cannot be read or decrypted.
    pub fn face(&self, key: &Key, id: &ItemId) -> Result<Option<Vec<u8>>, FeedbackError> {
        let held = self.hold()?;
        held.face(key, id)
    }

    /// Notes what a reviewer says of an item, in place of what was said before; whether there is such
    /// an item.
    ///
    /// # Errors
    /// If the folder cannot be read or written.
    pub fn answer(&self, id: &ItemId, answer: Answer) -> Result<bool, FeedbackError> {
        let held = self.hold()?;
        let Some(mut item) = held.items()?.remove(id) else { return Ok(false) };
        item.answer = Some(answer);
        write_private(&held.path(ITEMS, id.as_str(), JSON), &json(&item))?;
        Ok(true)
    }

    /// How much there is and what it says.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn summary(&self) -> Result<Summary, FeedbackError> {
        let held = self.hold()?;
        let (counts, items) = (held.counts()?, held.items()?);
        let mut answers = BTreeMap::new();
        for answer in items.values().filter_map(|item| item.answer) {
            *answers.entry(answer.to_string()).or_default() += 1;
        }
        Ok(Summary { counts, answers, accuracy: Accuracy::of(items.values()) })
    }

    /// Every answered item with its face, where that is still kept.
    pub(crate) fn answered(&self, key: &Key) -> Result<Vec<Answered>, FeedbackError> {
        let held = self.hold()?;
        let mut found = Vec::new();
        for (id, item) in held.items()? {
            let Some(answer) = item.answer else { continue };
            let face = held.face(key, &id)?;
            found.push(Answered { id, item, answer, face });
        }
        Ok(found)
    }
}

impl Held<'_> {
    fn path(&self, part: &str, name: &str, ending: &str) -> PathBuf {
        self.folder.join(part).join(format!("{name}{ending}"))
    }

    fn names(&self, part: &str, ending: &str) -> Result<Vec<String>, FeedbackError> {
        files::names(&self.folder.join(part), ending)
    }

    /// Every item that can be read, by its random name.
    fn items(&self) -> Result<BTreeMap<ItemId, Item>, FeedbackError> {
        let mut items = BTreeMap::new();
        for name in self.names(ITEMS, JSON)? {
            let content = files::read(&self.path(ITEMS, &name, JSON))?.unwrap_or_default();
            // What cannot be read is deleted by `put_right`: nobody could withdraw it.
            if let (Ok(id), Ok(item)) = (name.parse(), serde_json::from_slice(&content)) {
                items.insert(id, item);
            }
        }
        Ok(items)
    }

    fn consents(&self) -> Result<BTreeMap<String, ConsentFile>, FeedbackError> {
        let mut consents = BTreeMap::new();
        for name in self.names(CONSENTS, JSON)? {
            let content = files::read(&self.path(CONSENTS, &name, JSON))?.unwrap_or_default();
            if let Ok(consent) = serde_json::from_slice(&content) {
                consents.insert(name, consent);
            }
        }
        Ok(consents)
    }

    fn counts(&self) -> Result<Counts, FeedbackError> {
        let items = self.items()?;
        let answered = items.values().filter(|item| item.answer.is_some()).count() as u64;
        Ok(Counts {
            consents: self.names(CONSENTS, JSON)?.len() as u64,
            faces: self.names(FACES, AGE)?.len() as u64,
            waiting: items.len() as u64 - answered,
            answered,
        })
    }

    fn check_room(&self) -> Result<(), FeedbackError> {
        if self.names(ITEMS, JSON)?.len() < MOST_ITEMS {
            return Ok(());
        }
        Err(FeedbackError::Full { most: MOST_ITEMS })
    }

    fn face(&self, key: &Key, id: &ItemId) -> Result<Option<Vec<u8>>, FeedbackError> {
        let path = self.path(FACES, id.as_str(), AGE);
        files::read(&path)?.map(|face| key.decrypt(&path, &face)).transpose()
    }

    /// Deletes the face, then the numbers of an item; whether there was a face.
    fn delete_item(&self, id: &ItemId) -> Result<bool, FeedbackError> {
        let had_face = delete(&self.path(FACES, id.as_str(), AGE))?;
        delete(&self.path(ITEMS, id.as_str(), JSON))?;
        Ok(had_face)
    }

    /// Deletes faces without numbers, and numbers that cannot be read: what a crash left behind, and
    /// nobody could withdraw. How many faces were deleted.
    fn delete_strays(&self) -> Result<u64, FeedbackError> {
        let items = self.items()?;
        let is_stray =
            |name: &&String| name.parse().map_or(true, |id: ItemId| !items.contains_key(&id));
        let mut gone = 0;
        for name in self.names(FACES, AGE)?.iter().filter(is_stray) {
            gone += u64::from(delete(&self.path(FACES, name, AGE))?);
        }
        for name in self.names(ITEMS, JSON)?.iter().filter(is_stray) {
            delete(&self.path(ITEMS, name, JSON))?;
        }
        Ok(gone)
    }

    /// Ends the consents whose last day is over, and makes that no face is there without a consent.
    /// How many faces were deleted.
    fn put_right(&self, today: Day) -> Result<u64, FeedbackError> {
        let mut gone = self.delete_strays()?;
        let mut lasting = self.consents()?;
        lasting.retain(|_, consent| today <= consent.until);
        for (id, item) in self.items()? {
            match &item.consent {
                Some(consent) if lasting.contains_key(consent) => {}
                _ if item.answer.is_none() => gone += u64::from(self.delete_item(&id)?),
                consent => {
                    gone += u64::from(delete(&self.path(FACES, id.as_str(), AGE))?);
                    if consent.is_some() {
                        let nobodys = Item { consent: None, ..item };
                        write_private(&self.path(ITEMS, id.as_str(), JSON), &json(&nobodys))?;
                    }
                }
            }
        }
        // After their items: if it ends in between, they are found again.
        for name in self.names(CONSENTS, JSON)?.iter().filter(|name| !lasting.contains_key(*name)) {
            delete(&self.path(CONSENTS, name, JSON))?;
        }
        Ok(gone)
    }
}

/// The name of something in a folder, where there is any.
fn first_name(folder: &Path) -> Result<Option<String>, FeedbackError> {
    for entry in fs::read_dir(folder).map_err(FeedbackError::io(folder))? {
        let name = entry.map_err(FeedbackError::io(folder))?.file_name();
        let name = name.to_string_lossy().into_owned();
        // What this program left when it was ended while it made the folder.
        if !files::is_unfinished(&name) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // These types always have a JSON form.
    serde_json::to_vec(value).unwrap_or_default()
}
