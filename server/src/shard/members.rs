//! The other shards, by address: what they claim, and when they answered.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::claim::Claim;
use super::messages::Hello;
use crate::clock::Age;
use crate::scrape::Instants;
use crate::state::Connection;

/// The time without an answer after which a shard counts as gone.
pub(super) const GONE: Duration = Duration::from_secs(10);

/// The time after which an address that is no longer listed is forgotten. Until then its nodes' reason names it.
const FORGOTTEN: Duration = Duration::from_secs(3600);

/// The number of idle connections for queries of history.
const SPARE: usize = 4;

/// One address.
#[derive(Debug, Default)]
pub(super) struct Member {
    /// Whether the Service still has the address.
    pub(super) listed: bool,
    /// Whether it is this process.
    pub(super) itself: bool,
    /// The last accepted or refused claim.
    pub(super) hello: Option<Hello>,
    /// The time of the request of its last answer.
    pub(super) answered: Option<Instants>,
    /// The problem of the last request; none if it was answered.
    pub(super) problem: Option<String>,
    /// The claim of this process for which it has handed over.
    pub(super) handed: Option<Claim>,
    /// Idle connections for queries.
    pub(super) spare: Vec<Connection>,
}

impl Member {
    /// Whether it answered lately.
    pub(super) fn answers(&self, now: Age) -> bool {
        let answered = self.answered.filter(|_| !self.itself);
        answered.is_some_and(|at| now.since(at.age) <= GONE)
    }

    /// Whether it has handed over for this claim, or cannot.
    fn is_settled(&self, claim: Claim) -> bool {
        !self.listed || self.itself || self.problem.is_some() || self.handed == Some(claim)
    }

    fn rank(&self) -> (i64, &str) {
        let hello = self.hello.as_ref();
        hello.map_or((i64::MIN, ""), |hello| (hello.started, &hello.process))
    }

    fn has_index(&self, index: u32) -> bool {
        self.hello
            .as_ref()
            .is_some_and(|hello| hello.index == index)
    }
}

/// The state of the shard with one index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It answers.
    Answers(SocketAddr, Instants),
    /// It does not: its last address, and why, as a sentence without its subject.
    Gone(Option<SocketAddr>, String),
}

/// All addresses.
#[derive(Debug, Default)]
pub(super) struct Members(pub(super) BTreeMap<SocketAddr, Member>);

impl Members {
    /// Sets the listed addresses at `now`, and forgets those that are long gone.
    pub(super) fn list(&mut self, addresses: &[SocketAddr], now: Age) {
        for (address, member) in &mut self.0 {
            member.listed = addresses.contains(address);
        }
        for address in addresses {
            self.0.entry(*address).or_default().listed = true;
        }
        self.0.retain(|_, member| {
            let lately = |at: Instants| now.since(at.age) <= FORGOTTEN;
            member.listed || member.answered.is_some_and(lately)
        });
    }

    /// The member that speaks for an index: of several that answer, the one that started last.
    pub(super) fn speaker(&self, index: u32, now: Age) -> Option<(SocketAddr, &Member)> {
        let answering = self.0.iter();
        let answering =
            answering.filter(|(_, member)| member.has_index(index) && member.answers(now));
        let speaker = answering.max_by_key(|(_, member)| member.rank());
        speaker.map(|(address, member)| (*address, member))
    }

    /// The state of the shard with an index.
    pub(super) fn standing(&self, index: u32, now: Age) -> Standing {
        if let Some((address, member)) = self.speaker(index, now) {
            let answered = member.answered.unwrap_or_default();
            return Standing::Answers(address, answered);
        }
        let own = self.0.iter().filter(|(_, it)| it.has_index(index));
        let last = own.max_by_key(|(_, it)| it.answered.map(|at| at.age));
        match last {
            Some((address, member)) => {
                let since = member
                    .answered
                    .unwrap_or_default()
                    .wall
                    .to_rfc3339_seconds();
                let problem = match &member.problem {
                    Some(problem) => format!(": {problem}"),
                    None if !member.listed => {
                        ": it is no endpoint of the Service any more".to_owned()
                    }
                    None => String::new(),
                };
                let problem = format!("has not answered since {since}{problem}");
                Standing::Gone(Some(*address), problem)
            }
            None => {
                let unknown = self.0.iter().filter(|(_, it)| it.hello.is_none());
                let problems = unknown.filter_map(|(at, it)| Some((at, it.problem.as_ref()?)));
                let problems = problems.map(|(at, problem)| format!("; {at}: {problem}"));
                let problems: String = problems.take(3).collect();
                let problem = format!("is no serving endpoint of the Service{problems}");
                Standing::Gone(None, problem)
            }
        }
    }

    /// Whether all have handed over for this claim, or cannot.
    pub(super) fn are_settled(&self, claim: Claim) -> bool {
        self.0.values().all(|member| member.is_settled(claim))
    }

    /// Takes an idle connection.
    pub(super) fn take_spare(&mut self, address: SocketAddr) -> Option<Connection> {
        self.0.get_mut(&address)?.spare.pop()
    }

    /// Stores an idle connection.
    pub(super) fn store_spare(&mut self, address: SocketAddr, connection: Connection) {
        if let Some(member) = self.0.get_mut(&address)
            && member.spare.len() < SPARE
        {
            member.spare.push(connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::time::Timestamp;

    use super::*;

    fn age(seconds: u64) -> Age {
        Age::from_elapsed(Duration::from_secs(seconds))
    }

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 10250))
    }

    fn member(index: u32, started: i64, answered: u64) -> Member {
        Member {
            listed: true,
            hello: Some(Hello {
                index,
                count: 4,
                started,
                ..Hello::default()
            }),
            answered: Some(Instants {
                age: age(answered),
                wall: Timestamp::from_secs(answered.cast_signed()),
            }),
            ..Member::default()
        }
    }

    #[test]
    fn the_member_that_started_last_speaks_for_an_index() {
        let mut members = Members::default();
        members.0.insert(address(1), member(2, 500, 100));
        members.0.insert(address(2), member(2, 400, 100));
        members.0.insert(address(3), member(1, 900, 100));
        let speaker = |members: &Members, now| {
            let speaker = members.speaker(2, age(now));
            speaker.map(|(address, _)| address)
        };
        assert_eq!(speaker(&members, 105), Some(address(1)));
        // It is gone: the other one speaks.
        members
            .0
            .get_mut(&address(2))
            .unwrap()
            .answered
            .as_mut()
            .unwrap()
            .age = age(104);
        assert_eq!(speaker(&members, 111), Some(address(2)));
        assert_eq!(speaker(&members, 200), None);
    }

    #[test]
    fn a_shard_that_is_gone_has_a_reason() {
        let mut members = Members::default();
        let mut gone = member(2, 500, 100);
        gone.problem = Some("cannot connect: Connection refused".to_owned());
        members.0.insert(address(1), gone);
        assert!(matches!(
            members.standing(2, age(110)),
            Standing::Answers(..)
        ));
        assert_eq!(
            members.standing(2, age(111)),
            Standing::Gone(
                Some(address(1)),
                "has not answered since 1970-01-01T00:01:40Z: cannot connect: Connection refused"
                    .into()
            )
        );
        assert_eq!(
            members.standing(3, age(111)),
            Standing::Gone(None, "is no serving endpoint of the Service".into())
        );
    }

    #[test]
    fn an_address_that_is_no_longer_listed_is_forgotten_after_an_hour() {
        let mut members = Members::default();
        members.0.insert(address(1), member(2, 500, 100));
        members.list(&[address(2)], age(200));
        assert_eq!(members.0.len(), 2);
        assert_eq!(
            members.standing(2, age(200)),
            Standing::Gone(
                Some(address(1)),
                "has not answered since 1970-01-01T00:01:40Z: it is no endpoint of the Service any more"
                    .into()
            )
        );
        members.list(&[], age(3701));
        assert!(members.0.is_empty());
    }
}
