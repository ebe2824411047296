package hostile

// Explained says why a cell of the table has no case.
func Explained() map[Cell]string {
	const (
		noServer   = "no server has a part in it any more: what is worked on is on disk"
		bounded    = "its input is on disk and bounded, and it ends with `FetchTimeout`; what costs most for its size is under *bombs*"
		hashed     = "objects are named by the hash of what was unpacked: one that was altered has another name, and the one that is asked for is *missing*. Damage of the mirror on disk makes it be cloned anew"
		noNames    = "there are no names in it but hashes"
		sha1Only   = "the format is settled when the server advertises itself"
		oneCommit  = "it is about one commit, whatever came before"
		transfers  = "a fetch has one size limit: what sends too much is under *floods*"
		whenUnpack = "a pack is unpacked while it arrives: what it holds is under *unpack*"
	)
	cells := map[Cell]string{
		{Bombs, Advertise}:     "nothing is unpacked: an answer costs its own size, 16 MiB at most",
		{Rewritten, Advertise}: "a head is a head: how it follows the deployed commit is seen when its history is walked",
		{Special, Advertise}:   "a ref is a name and a hash; symbolic refs are not followed",
		{Rewritten, Fetch}:     "the pack is that of a commit, asked for by its name",
		{Bombs, Fetch}:         whenUnpack,
		{Oversized, Fetch}:     transfers,
		{Special, Fetch}:       whenUnpack,
		{Names, Fetch}:         noNames,
		{Stalls, Unpack}:       "a pack that does not arrive is under *fetch*; one that takes long to unpack is a *bomb*, bounded by 8 GiB and `FetchTimeout`",
		{Special, Unpack}:      "the modes of files are in folders, which are looked at when they are walked",
		{Names, Unpack}:        noNames + "; the pack's file is named by its checksum",
		{Floods, Walk}:         bounded,
		{Floods, Read}:         bounded,
		{Floods, Parse}:        bounded,
		{Corrupt, Walk}:        hashed,
		{Corrupt, Read}:        hashed,
		{Truncated, Read}:      hashed,
		{Rewritten, Read}:      oneCommit,
		{Rewritten, Parse}:     oneCommit,
		{Names, Read}:          "names are looked at when folders are walked",
		{Foreign, Walk}:        sha1Only,
		{Foreign, Read}:        sha1Only,
	}
	for _, phase := range []Phase{Unpack, Walk, Read, Parse} {
		cells[Cell{Refuses, phase}] = noServer
		cells[Cell{Redirects, phase}] = noServer
	}
	for _, phase := range []Phase{Walk, Read, Parse} {
		cells[Cell{Stalls, phase}] = bounded
	}
	return cells
}
