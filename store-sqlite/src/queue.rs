//! What waits for the writer, in groups.
//!
//! A synced commit costs nearly the same for one batch as for many, and waking the writer takes the core away from those
//! who are about to bring more. So the first of a group lets whoever is ready come before it, and only then wakes the
//! writer for all of them.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Why nothing more is taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Full,
    Closed,
}

pub(crate) struct Queue<T> {
    /// Most that wait.
    capacity: usize,
    state: Mutex<State<T>>,
    released: Condvar,
}

struct State<T> {
    waiting: VecDeque<T>,
    /// How many of those that wait may be taken, from the front.
    released: usize,
    open: bool,
}

/// Held by the first of a group; dropping it releases the group, so that one who goes away holds nobody up.
pub(crate) struct Gathering<'a, T>(&'a Queue<T>);

impl<T> Drop for Gathering<'_, T> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.released = state.waiting.len();
        drop(state);
        self.0.released.notify_one();
    }
}

impl<T> Queue<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        let state = State { waiting: VecDeque::new(), released: 0, open: true };
        Self { capacity, state: Mutex::new(state), released: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one; the first of a group gets what releases it.
    pub(crate) fn push(&self, item: T) -> Result<Option<Gathering<'_, T>>, Refused> {
        let mut state = self.state();
        if !state.open {
            return Err(Refused::Closed);
        }
        if state.waiting.len() >= self.capacity {
            return Err(Refused::Full);
        }
        let first = state.released == state.waiting.len();
        state.waiting.push_back(item);
        drop(state);
        Ok(first.then(|| Gathering(self)))
    }

    /// Waits for a group and takes at most that many of it; `None` when the queue is closed and empty.
    pub(crate) fn take(&self, most: usize) -> Option<Vec<T>> {
        let mut state = self.state();
        while state.released == 0 && state.open {
            state = self.released.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let taken = state.released.min(most);
        state.released -= taken;
        let group: Vec<T> = state.waiting.drain(..taken).collect();
        (!group.is_empty()).then_some(group)
    }

    /// Takes nothing more; what waits can still be taken.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.open = false;
        state.released = state.waiting.len();
        drop(state);
        self.released.notify_one();
    }

    /// Takes nothing more, and lets go of what waits.
    pub(crate) fn abandon(&self) {
        let mut state = self.state();
        state.open = false;
        state.released = 0;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        // Outside the lock: whoever waits for one of them may come back at once.
        drop(waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::{Queue, Refused};

    #[test]
    fn a_group_is_taken_when_its_first_says_so() {
        let queue = Queue::new(10);
        let gathering = queue.push(1).unwrap();
        assert!(gathering.is_some());
        assert!(queue.push(2).unwrap().is_none());
        assert!(queue.push(3).unwrap().is_none());
        drop(gathering);
        assert!(queue.push(4).unwrap().is_some(), "the next group has begun, and is released here");
        assert_eq!(queue.take(2), Some(vec![1, 2]));
        assert_eq!(queue.take(10), Some(vec![3, 4]));
    }

    #[test]
    fn what_is_still_gathered_is_not_taken() {
        let queue = Queue::new(10);
        drop(queue.push(1).unwrap());
        let _gathering = queue.push(2).unwrap();
        assert_eq!(queue.take(10), Some(vec![1]));
    }

    #[test]
    fn it_is_bounded() {
        let queue = Queue::new(1);
        drop(queue.push(1).unwrap());
        assert_eq!(queue.push(2).err(), Some(Refused::Full));
        queue.take(1);
        assert!(queue.push(2).is_ok());
    }

    #[test]
    fn what_waits_is_done_before_the_end() {
        let queue = Queue::new(10);
        let _gathering = queue.push(1).unwrap();
        queue.close();
        assert_eq!(queue.push(2).err(), Some(Refused::Closed));
        assert_eq!(queue.take(10), Some(vec![1]));
        assert_eq!(queue.take(10), None);
    }

    #[test]
    fn who_waits_learns_that_nobody_works() {
        let queue = Queue::new(10);
        let (reply, outcome) = std::sync::mpsc::channel::<()>();
        let gathering = queue.push(reply).unwrap();
        queue.abandon();
        assert!(outcome.recv().is_err());
        drop(gathering);
        assert!(queue.take(1).is_none());
    }
}
