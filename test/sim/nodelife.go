package sim

// crash ends a node's process, or its whole machine.
func (n *node) crash(power bool, why string) {
	if !n.up && !n.starting {
		return
	}
	w := n.w
	w.say("%s dies (power %t): %s", n.id, power, why)
	w.count("crashes")
	n.up, n.starting = false, false
	n.lives++
	n.endTasks()
	if power {
		w.count("power losses")
		n.disk.lose()
	}
	if n.tenure != nil {
		n.tenure.end()
	}
	n.state, n.applied, n.shown, n.half = nil, 0, 0, nil
	n.pulling, n.acting, n.again = false, false, false
	n.waiters = nil
	if w.raft.leader == n {
		w.depose("its process died")
	}
	w.contacts()
	w.after(w.between(200, 8000), n.start)
}

// die is the death of the process, or of the machine, whose task runs just now.
func (n *node) die(where string) {
	n.crash(n.w.random.IntN(2) == 0, where)
	n.w.task.survive()
}

// stopped is a process that ends because it cannot go on.
func (n *node) stopped(why string) { n.crash(false, why) }

// start begins a process: serve what the disk says was active, then catch up.
func (n *node) start() {
	if n.up || n.starting {
		return
	}
	n.w.say("%s starts", n.id)
	n.starting = true
	n.registry = map[string]string{}
	n.plantJournal()
	if !n.restore() {
		return
	}
	n.catchUpTo = max(1, n.w.raft.commitIndex())
	n.open(n.participate)
}

// participate is what a process does once it serves.
func (n *node) participate() {
	w := n.w
	n.starting, n.up = false, true
	w.contacts()
	if w.raft.leader == nil {
		w.elect()
	}
	if !n.member {
		n.join()
	} else if !n.voter {
		n.after(w.between(1000, 5000), n.promote)
	}
	n.after(w.between(10, 500), n.apply)
	n.pull()
}

// wipe loses a node's whole disk: it comes back as another incarnation.
func (n *node) wipe() {
	w := n.w
	n.crash(true, "its disk is lost")
	n.disk, n.disturbed = newDisk(n), false
	n.incarnation = w.id(n.id)
	if n.member {
		n.voter, n.member = false, false
	}
	n.wantsIn = true
}

// join asks the leader for admission until it is given: the node first follows
// without a vote, and is promoted once it has kept up.
func (n *node) join() {
	w := n.w
	n.after(w.between(100, 1500), func() {
		leader := w.raft.leader
		if n.member || !n.wantsIn {
			return
		}
		if leader == nil || leader.tenure == nil || !w.connected(n, leader) || !w.quorum(leader) {
			n.join()
			return
		}
		if leader.state.Meta().Format > n.format {
			n.tooOld()
			return
		}
		w.say("%s is admitted as a learner, %s", n.id, n.incarnation)
		w.count("joins")
		n.member, n.voter = true, false
		leader.tenure.register(n)
		n.pull()
		n.after(w.between(1000, 10000), n.promote)
	})
}

// promote gives a learner that has kept up its vote.
func (n *node) promote() {
	w := n.w
	leader := w.raft.leader
	if !n.member || n.voter {
		return
	}
	if leader == nil || !w.connected(n, leader) || !w.quorum(leader) || n.applied < w.raft.commitIndex() {
		n.pull()
		n.after(w.between(500, 3000), n.promote)
		return
	}
	w.say("%s is promoted", n.id)
	n.voter = true
	n.disk.stored = w.raft.commitIndex()
	w.kickLeader()
}

// contacts notes who hears of whom, and takes the leadership of who has lost
// the majority.
func (w *world) contacts() {
	for _, a := range w.nodes {
		for _, b := range w.nodes {
			if w.connected(a, b) {
				delete(a.unreachable, b.id)
			} else if _, known := a.unreachable[b.id]; !known {
				a.unreachable[b.id] = w.now
			}
		}
	}
	if leader := w.raft.leader; leader != nil {
		term := w.raft.term
		if !w.quorum(leader) {
			leader.after(w.between(100, 600), func() {
				if w.raft.leader == leader && w.raft.term == term && !w.quorum(leader) {
					w.depose("it has lost the majority")
				}
			})
		} else {
			w.after(1, func() { w.commit(term) })
			for _, n := range w.nodes {
				if n.member && n.up && n.applied < w.raft.commitIndex() {
					n.pull()
				}
			}
		}
	}
	w.kickLeader()
}

// kickLeader lets the leader half look again.
func (w *world) kickLeader() {
	if leader := w.raft.leader; leader != nil && leader.tenure != nil {
		leader.tenure.kick(w.between(5, 1000))
	}
}
