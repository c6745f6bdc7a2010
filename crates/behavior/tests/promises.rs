//! Promise: whatever the policy and whatever is seen, the robot never gives two answers at once, none
//! within a pause, none over the limits of an hour, none to a group twice, none while it is muted.
//!
//! 10,000 random policies see 2,000,000 random readings in all. The world of the test knows which visits
//! there are; the engine sees only ids, places and boxes, and ids change as a tracker loses people.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rapport_behavior::{
    Decision, Engine, FaceBox, FaceReading, Outcome, Policy, Response, StateValue,
};
use rapport_vocabulary::{Emotion, Engagement, ImageStamp};

const POLICIES: u64 = 10_000;
const READINGS: usize = 2_000_000;

/// Small and repeatable: xorshift64*.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % below
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.roll(count) == 0
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.roll(items.len() as u64) as usize]
    }

    fn share(&mut self) -> f64 {
        self.roll(1_000) as f64 / 1_000.0
    }
}

fn policy_text(dice: &mut Dice) -> String {
    let mut text = format!(
        "version: 2\nstates: {{muted: /muted, voices: /voices}}\nnames: {{place: here}}\n\
         near_m: {}\npause_secs: {}\ngap_secs: {}\nmanners:\n  not_while: {{muted: true}}\n  \
         visit_gap_secs: {}\n  staff_pause_secs: {}\n",
        dice.pick(&[1.0, 2.0]),
        dice.pick(&[0.0, 0.5, 2.0, 5.0]),
        dice.pick(&[0.0, 0.5, 1.0]),
        dice.pick(&[3, 10, 30]),
        dice.pick(&[10, 30]),
    );
    if dice.one_in(2) {
        text += &format!("  per_hour: {}\n", 1 + dice.roll(4));
    }
    if dice.one_in(2) {
        text += &format!("  per_person_per_hour: {}\n", 1 + dice.roll(3));
    }
    if dice.one_in(3) {
        text += "  quiet_hours: {from: 22, to: 7}\n";
    }
    text += "rules:\n";
    for rule in 0..1 + dice.roll(4) {
        text += &format!("  - name: rule{rule}\n    when:\n");
        let leaves = dice.one_in(8);
        if leaves {
            text += "      event: leaves\n";
        } else {
            text += &format!("      for_secs: {}\n", dice.pick(&[0.0, 0.0, 0.3, 1.0]));
            if dice.one_in(5) {
                let event = dice.pick(&["appears", "comes_near", "turns_away"]);
                text += &format!("      event: {event}\n");
            } else {
                text += &format!(
                    "      emotion: {}\n      confidence: {}\n",
                    dice.pick(&["happy", "[happy, sad]", "[neutral, happy, sad]"]),
                    dice.pick(&[0.0, 0.3, 0.6]),
                );
            }
        }
        for (odds, line) in [
            (4, "      attention: [engaged, engaging, unknown]\n"),
            (4, "      distance_m: {to: 3, or_unknown: true}\n"),
            (6, "      people: {from: 1, to: 3}\n"),
            (6, "      groups: {to: 2}\n"),
            (6, "      hours: {from: 6, to: 23}\n"),
            (6, "      state: {voices: false}\n"),
            (6, "      valence: {from: -0.5}\n"),
            (6, "      sure: true\n"),
            (8, "      from: [neutral, sad]\n"),
        ] {
            if dice.one_in(odds) {
                text += line;
            }
        }
        text += &format!(
            "    cooldown_secs: {}\n    cooldown_anyone_secs: {}\n    priority: {}\n    \
             greeting: {}\n",
            dice.pick(&[0, 2, 10, 1000]),
            dice.pick(&[0, 0, 2, 10]),
            dice.roll(3),
            dice.one_in(2),
        );
        let calls = dice.one_in(6);
        if calls {
            text += &format!("    call_staff: {}\n", dice.pick(&["waits", "queue"]));
        }
        if !calls || dice.one_in(2) {
            let duration = dice.pick(&[0.1, 0.5, 2.0]);
            text += &format!(
                "    answer: {{say: {{en: Hello, de: Hallo}}, duration_secs: {duration}}}\n"
            );
        }
    }
    text
}

/// Some people who came together and stand together.
struct Visit {
    number: usize,
    slot: usize,
    ids: Vec<String>,
    left_after_ms: u64,
    /// When they are seen again; until then the tracker has lost them.
    lost_until_ms: u64,
    emotions: Vec<Emotion>,
    far: bool,
}

#[derive(Default)]
struct World {
    visits: Vec<Visit>,
    count: usize,
    next_id: usize,
    /// When each place may be taken again.
    free_at_ms: [u64; 3],
    /// Of each id, its visit.
    visit_of: BTreeMap<String, usize>,
}

impl World {
    fn new_ids(&mut self, visit: usize, count: usize) -> Vec<String> {
        let ids: Vec<String> = (0..count).map(|of| format!("f{}", self.next_id + of)).collect();
        self.next_id += count;
        self.visit_of.extend(ids.iter().map(|id| (id.clone(), visit)));
        ids
    }

    /// `gap_ms`: for how long somebody may be out of sight without having left.
    fn step(&mut self, dice: &mut Dice, now_ms: u64, gap_ms: u64, changes_ids: bool) {
        for slot in 0..3 {
            let is_taken = self.visits.iter().any(|visit| visit.slot == slot);
            if !is_taken && now_ms >= self.free_at_ms[slot] && dice.one_in(4) {
                let people = 1 + dice.roll(3) as usize;
                let (number, ids) = (self.count, self.new_ids(self.count, people));
                self.count += 1;
                self.visits.push(Visit {
                    number,
                    slot,
                    ids,
                    left_after_ms: now_ms + 1_000 + dice.roll(30_000),
                    lost_until_ms: 0,
                    emotions: vec![Emotion::Happy; people],
                    far: dice.one_in(2),
                });
            }
        }
        let mut renamed = Vec::new();
        for (index, visit) in self.visits.iter_mut().enumerate() {
            if now_ms < visit.lost_until_ms {
                continue;
            }
            let was_lost = visit.lost_until_ms > 0;
            if was_lost && changes_ids && dice.one_in(2) {
                renamed.push(index);
            }
            visit.lost_until_ms = 0;
            // Not as they come: who comes together is seen together.
            if !was_lost && dice.one_in(12) && visit.left_after_ms > now_ms + gap_ms {
                visit.lost_until_ms = now_ms + 1 + dice.roll(gap_ms - 1_500);
            }
            visit.far &= !dice.one_in(5);
            for emotion in &mut visit.emotions {
                if dice.one_in(6) {
                    *emotion = dice.pick(&[Emotion::Happy, Emotion::Sad, Emotion::Neutral]);
                }
            }
        }
        for index in renamed {
            let (number, count) = (self.visits[index].number, self.visits[index].ids.len());
            self.visits[index].ids = self.new_ids(number, count);
        }
        let free_at_ms = &mut self.free_at_ms;
        self.visits.retain(|visit| {
            let stays = now_ms < visit.left_after_ms;
            if !stays {
                // Nobody else stands there while they might be taken for them.
                free_at_ms[visit.slot] = now_ms + gap_ms + 100;
            }
            stays
        });
    }

    fn readings<'a>(
        &'a self,
        dice: &mut Dice,
        now_ms: u64,
        knows_metres: bool,
    ) -> Vec<FaceReading<'a>> {
        let mut readings = Vec::new();
        for visit in self.visits.iter().filter(|visit| now_ms >= visit.lost_until_ms) {
            for (index, (id, emotion)) in visit.ids.iter().zip(&visit.emotions).enumerate() {
                // Places are eight metres apart, people in a group half a metre: three box widths.
                let x_m = visit.slot as f32 * 8.0 + index as f32 * 0.5;
                let away = if visit.far { 4.0 } else { 1.0 };
                let position_m = [x_m / 10.0, 0.0, away];
                let face_box = FaceBox::new(x_m * 600.0, 200.0, 100.0, 120.0);
                readings.push(FaceReading {
                    sure: dice.one_in(2),
                    valence: dice.share() as f32 * 2.0 - 1.0,
                    arousal: if dice.one_in(20) { f32::NAN } else { 0.1 },
                    engagement: dice.pick(&[
                        None,
                        Some(Engagement::Engaged),
                        Some(Engagement::Disengaged),
                    ]),
                    position_m: knows_metres.then_some([x_m, position_m[1], away]),
                    face_box,
                    ..FaceReading::new(id, *emotion, dice.share() as f32)
                });
            }
        }
        readings
    }
}

/// What was answered, as the test keeps it.
struct Given {
    at_ms: u64,
    end_ms: u64,
    visit: usize,
    response: Response,
}

struct Referee<'a> {
    policy: &'a Policy,
    given: Vec<Given>,
    asked: Vec<(u64, String)>,
}

impl Referee<'_> {
    fn ends(&mut self, id: &str, now_ms: u64) {
        let given = self.given.iter_mut().find(|given| given.response.id == id).unwrap();
        given.end_ms = given.end_ms.min(now_ms);
    }

    fn judge(&mut self, world: &World, decision: Decision, now_ms: u64, hour: f64, muted: bool) {
        let policy = self.policy;
        if let Some(cancel) = &decision.cancel {
            assert!(decision.staff.is_some(), "only a call to the staff cuts short");
            self.ends(&cancel.id, now_ms);
        }
        if let Some(staff) = decision.staff {
            let pause_ms = policy.manners.staff_pause.as_millis() as u64;
            let soon = |(at, kind): &(u64, String)| *kind == staff.kind && now_ms - at < pause_ms;
            assert!(!self.asked.iter().any(soon), "staff asked again too soon");
            assert_eq!(staff.place, "here");
            self.asked.push((now_ms, staff.kind));
        }
        let Some(response) = decision.response else {
            return;
        };
        assert!(!muted, "answers while muted");
        assert!(!policy.manners.quiet_hours.iter().any(|hours| hours.has(hour)), "quiet hours");
        let rule = policy.rules.iter().find(|rule| rule.name == response.rule).unwrap();
        let visit = world.visit_of[&response.face_id];
        for id in &response.group {
            assert_eq!(world.visit_of[id], visit, "somebody else in the group");
        }
        let hour_ago = |given: &&Given| now_ms - given.at_ms < 3_600_000;
        for given in &self.given {
            assert!(now_ms >= given.end_ms, "two at once");
            assert!(now_ms >= given.end_ms + policy.pause.as_millis() as u64, "within the pause");
            if given.response.rule == response.rule {
                let since = Duration::from_millis(now_ms - given.at_ms);
                assert!(since >= rule.cooldown_anyone, "the rule again too soon");
                assert!(given.visit != visit || since >= rule.cooldown, "the group again too soon");
            }
            if given.visit == visit && rule.is_greeting {
                let before = policy.rules.iter().find(|rule| rule.name == given.response.rule);
                assert!(!before.unwrap().is_greeting, "a group greeted twice");
            }
        }
        if let Some(most) = policy.manners.per_hour {
            assert!(self.given.iter().filter(hour_ago).count() < most, "over the hourly limit");
        }
        if let Some(most) = policy.manners.per_person_per_hour {
            let of_visit = self.given.iter().filter(hour_ago).filter(|given| given.visit == visit);
            assert!(of_visit.count() < most, "over the hourly limit of a group");
        }
        let end_ms = now_ms + response.duration.as_millis() as u64;
        self.given.push(Given { at_ms: now_ms, end_ms, visit, response });
    }
}

#[test]
fn manners_are_kept_by_any_policy_whatever_is_seen() {
    let (mut readings_seen, mut answers, mut requests, mut renamed) = (0, 0, 0, 0);
    for seed in 1..=POLICIES {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let text = policy_text(&mut dice);
        let policy = Policy::parse(Path::new("random.yaml"), text.as_bytes());
        let policy = policy.unwrap_or_else(|error| panic!("seed {seed}: {error}\n{text}"));
        let mut engine = Engine::new(policy.clone());
        engine.set_language(dice.pick(&["", "en", "de-AT", "fr"]));
        let gap_ms = policy.manners.visit_gap.as_millis() as u64;
        let (knows_metres, changes_ids) = (dice.one_in(2), dice.one_in(2));
        let has_word = dice.one_in(3);
        engine.wait_for_robot(has_word);
        let mut world = World::default();
        let mut referee = Referee { policy: &policy, given: Vec::new(), asked: Vec::new() };
        let (mut now_ms, mut muted, mut hour, mut is_on) = (1_000, false, 21.0, true);
        let target = READINGS * seed as usize / POLICIES as usize;
        while readings_seen < target {
            now_ms += 50 + dice.roll(700);
            if dice.one_in(15) {
                muted = !muted;
                engine.set_state("muted", StateValue::Flag(muted));
            }
            if dice.one_in(15) {
                engine.set_state("voices", StateValue::Flag(dice.one_in(2)));
            }
            if dice.one_in(30) {
                is_on = !is_on;
            }
            hour = if dice.one_in(10) { dice.share() * 24.0 } else { hour };
            engine.set_hour(Some(hour));
            world.step(&mut dice, now_ms, gap_ms, changes_ids);
            let readings = world.readings(&mut dice, now_ms, knows_metres);
            readings_seen += readings.len();
            let image = ImageStamp::at(Duration::from_millis(now_ms));
            if !is_on {
                engine.watch(image, &readings);
                continue;
            }
            let decision = engine.observe(image, &readings);
            drop(readings);
            requests += usize::from(decision.staff.is_some());
            answers += usize::from(decision.response.is_some());
            let start = decision.response.as_ref().map(|response| response.id.clone());
            referee.judge(&world, decision, now_ms, hour, muted);
            // The robot says now and then that it is done, or could not do it.
            let newest = referee.given.last().map(|given| given.response.id.clone());
            if has_word && start.is_none() && dice.one_in(4) && engine.is_responding() {
                let id = newest.unwrap();
                let failed = dice.one_in(2);
                let outcome = match failed {
                    true => Outcome::Failed("no voice".to_owned()),
                    false => Outcome::Finished,
                };
                engine.ended(&id, outcome, Duration::from_millis(now_ms));
                if failed {
                    referee.ends(&id, now_ms);
                }
            }
            if dice.one_in(40) {
                assert!(engine.acknowledge_staff().iter().all(|request| request.acknowledged));
            }
        }
        renamed += usize::from(world.next_id > world.count);
        assert!(world.visits.len() <= 3);
    }
    println!(
        "{POLICIES} policies, {readings_seen} readings, {answers} answers, {requests} requests"
    );
    // What holds where nothing happens proves nothing.
    assert!(readings_seen >= READINGS && answers > 10_000 && requests > 1_000 && renamed > 5_000);
}
