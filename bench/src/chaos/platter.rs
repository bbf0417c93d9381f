//! What a disk holds when the power fails: all that was synced, and of what was written since, nobody knows what.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::calls::{Call, Change};
use crate::random::Random;

/// What a disk writes whole or not at all, in bytes.
const SECTOR: usize = 512;

/// Files by their names.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A disk, and what the operating system has not yet brought there.
pub(crate) struct Platter {
    /// What each name may stand for: on the disk first, as the programs see it last.
    names: BTreeMap<String, Vec<Option<usize>>>,
    contents: Vec<Content>,
    /// Whose syncs the disk swallows: a control that must lose something.
    swallows: fn(&str) -> bool,
}

/// What is in a file, whatever it is called.
#[derive(Default)]
struct Content {
    synced: Vec<u8>,
    since: Vec<Change>,
}

impl Platter {
    /// All of the files are on the disk.
    pub(crate) fn new(files: &Files, swallows: fn(&str) -> bool) -> Self {
        let mut platter = Self { names: BTreeMap::new(), contents: Vec::new(), swallows };
        for (name, bytes) in files {
            let number = platter.contents.len();
            platter.contents.push(Content { synced: bytes.clone(), since: Vec::new() });
            platter.names.insert(name.clone(), vec![Some(number)]);
        }
        platter
    }

    /// Does what the calls did, one after the other.
    pub(crate) fn follow_all(&mut self, calls: &[Call]) -> Result<()> {
        calls.iter().try_for_each(|call| self.follow(call))
    }

    /// Does what the call did.
    fn follow(&mut self, call: &Call) -> Result<()> {
        let Call { file, change, .. } = call;
        if *change == Change::Sync && (self.swallows)(file) {
            return Ok(());
        }
        if file.is_empty() {
            for stands_for in self.names.values_mut().filter(|_| *change == Change::Sync) {
                let last = stands_for.last().copied().flatten();
                *stands_for = vec![last];
            }
            return Ok(());
        }
        let stands_for = self.names.entry(file.clone()).or_insert_with(|| vec![None]);
        let seen = stands_for.last().copied().flatten();
        match (change, seen.and_then(|number| self.contents.get_mut(number))) {
            (Change::Create, None) => {
                stands_for.push(Some(self.contents.len()));
                self.contents.push(Content::default());
            }
            (Change::Unlink, _) => stands_for.push(None),
            (Change::Sync, Some(content)) => content.sync(),
            (Change::Write { .. } | Change::Truncate(_), Some(content)) => content.since.push(change.clone()),
            (Change::Create, Some(_)) => {}
            (_, None) => bail!("`{file}` is changed and is not there"),
        }
        Ok(())
    }

    /// What may be found when the power fails now.
    ///
    /// Each sector that was written since the last sync has its old content or any of the later ones, each name stands
    /// for what it stood for or for any of the later ones. How much of the new is there differs from image to image.
    pub(crate) fn after_power_loss(&self, random: &mut Random) -> Files {
        let chance = Chance(random.below(9));
        let mut files = Files::new();
        for (name, stands_for) in &self.names {
            let reached = chance.reached(stands_for.len() - 1, random);
            let number = stands_for.get(reached).copied().flatten();
            if let Some(content) = number.and_then(|number| self.contents.get(number)) {
                files.insert(name.clone(), content.torn(chance, random));
            }
        }
        files
    }
}

/// In how many of eight cases all that was written has reached the disk.
#[derive(Clone, Copy)]
struct Chance(usize);

impl Chance {
    /// How many of several changes in a row have.
    fn reached(self, changes: usize, random: &mut Random) -> usize {
        match self.0 {
            0 => 0,
            chance if random.below(8) < chance => changes,
            _ => random.below(changes + 1),
        }
    }
}

impl Content {
    fn sync(&mut self) {
        for change in std::mem::take(&mut self.since) {
            match change {
                Change::Write { offset, bytes } => put(&mut self.synced, offset, &bytes),
                Change::Truncate(size) => self.synced.resize(size, 0),
                Change::Create | Change::Sync | Change::Unlink => {}
            }
        }
    }

    fn torn(&self, chance: Chance, random: &mut Random) -> Vec<u8> {
        let mut sizes = vec![self.synced.len()];
        let mut touched: BTreeMap<usize, usize> = BTreeMap::new();
        for change in &self.since {
            let size = sizes.last().copied().unwrap_or_default();
            if let Change::Write { offset, bytes } = change {
                for sector in sectors(*offset, bytes.len()) {
                    *touched.entry(sector).or_default() += 1;
                }
            }
            sizes.push(match change {
                Change::Write { offset, bytes } => size.max(offset + bytes.len()),
                Change::Truncate(size) => *size,
                Change::Create | Change::Sync | Change::Unlink => size,
            });
        }
        for times in touched.values_mut() {
            *times = chance.reached(*times, random);
        }
        let mut bytes = self.synced.clone();
        for change in &self.since {
            let Change::Write { offset, bytes: new } = change else { continue };
            for sector in sectors(*offset, new.len()) {
                let Some(times) = touched.get_mut(&sector).filter(|times| **times > 0) else { continue };
                *times -= 1;
                let (start, end) = ((sector * SECTOR).max(*offset), (sector + 1) * SECTOR);
                let end = end.min(offset + new.len());
                put(&mut bytes, start, new.get(start - offset..end - offset).unwrap_or_default());
            }
        }
        let size = sizes.get(chance.reached(self.since.len(), random)).copied().unwrap_or_default();
        bytes.resize(size, 0);
        bytes
    }
}

/// The sectors that so many bytes from there on lie in.
fn sectors(offset: usize, length: usize) -> std::ops::Range<usize> {
    offset / SECTOR..(offset + length).div_ceil(SECTOR)
}

fn put(bytes: &mut Vec<u8>, offset: usize, new: &[u8]) {
    if bytes.len() < offset + new.len() {
        bytes.resize(offset + new.len(), 0);
    }
    if let Some(old) = bytes.get_mut(offset..offset + new.len()) {
        old.copy_from_slice(new);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;

    fn call(file: &str, change: Change) -> Call {
        Call { start: Duration::ZERO, end: Duration::ZERO, file: file.into(), change }
    }

    fn write(offset: usize, byte: u8, length: usize) -> Change {
        Change::Write { offset, bytes: vec![byte; length] }
    }

    /// What is found over many power losses after the changes to a file of two sectors.
    fn found(changes: &[(&str, Change)], swallows: fn(&str) -> bool) -> BTreeSet<Option<Vec<u8>>> {
        let mut platter = Platter::new(&Files::from([("a".into(), vec![0; 2 * SECTOR])]), swallows);
        for (file, change) in changes {
            platter.follow(&call(file, change.clone())).unwrap();
        }
        let mut random = Random::new(7);
        (0..2000).map(|_| platter.after_power_loss(&mut random).remove("a")).collect()
    }

    fn two(one: u8, other: u8) -> Option<Vec<u8>> {
        Some([[one; SECTOR], [other; SECTOR]].concat())
    }

    #[test]
    fn each_sector_is_old_or_any_of_the_new_until_it_is_synced() {
        let writes = [("a", write(0, 1, 2 * SECTOR)), ("a", write(SECTOR, 2, SECTOR))];
        let any = [0, 1].iter().flat_map(|one| [0, 1, 2].map(|other| two(*one, other)));
        assert_eq!(found(&writes, |_| false), any.collect());
        let synced = [&writes[..], &[("a", Change::Sync)]].concat();
        assert_eq!(found(&synced, |_| false), [two(1, 2)].into());
        assert_eq!(found(&synced, |file| file == "a").len(), 6);
    }

    #[test]
    fn a_write_beyond_the_end_may_be_half_there() {
        let grown = found(&[("a", write(2 * SECTOR, 9, SECTOR))], |_| false);
        let with = |end: &[u8]| two(0, 0).map(|bytes| [bytes.as_slice(), end].concat());
        assert_eq!(grown, [two(0, 0), with(&[0; SECTOR]), with(&[9; SECTOR])].into());
    }

    #[test]
    fn a_truncation_may_be_there_or_not() {
        let cut = found(
            &[("a", write(0, 1, 2 * SECTOR)), ("a", Change::Sync), ("a", Change::Truncate(SECTOR))],
            |_| false,
        );
        assert_eq!(cut, [two(1, 1), Some(vec![1; SECTOR])].into());
    }

    #[test]
    fn a_name_is_sure_when_its_directory_was_synced() {
        let removed = [("a", Change::Unlink)];
        assert_eq!(found(&removed, |_| false), [None, two(0, 0)].into());
        let synced = [("a", Change::Unlink), ("", Change::Sync)];
        assert_eq!(found(&synced, |_| false), [None].into());
        let again =
            [&synced[..], &[("a", Change::Create), ("a", write(0, 3, 1)), ("a", Change::Sync)]].concat();
        assert_eq!(found(&again, |_| false), [None, Some(vec![3])].into());
    }
}
