// Package gitsync reads the configuration repository: where a branch stands
// ([Mirror.Head]), and what one environment holds at a commit, together with
// the history since the commit that is deployed ([Mirror.Read]).
//
// A repository is input that others can write to, so nothing of it is trusted:
//
//   - A poll asks for one branch head only. It is parsed here, in the calling
//     process, within a fixed number of bytes; garbage is an error and never
//     looks like an empty repository.
//   - Everything else, fetching, unpacking and walking, happens in a short-lived
//     child process of the same binary ([WorkerMain]) with a limit on memory and
//     on time, and budgets for files, sizes and tree entries.
//   - Every object that is read is hashed and compared with its name. A missing or
//     damaged object is fatal: the mirror is thrown away and cloned into a fresh
//     directory. It is never mistaken for a file that was deleted.
//   - Inside an environment's folders only plainly named regular files are accepted.
//
// A local repository (file://) is read in place: its head from the ref files, its
// objects from its own object store. Every other repository is mirrored: a full
// bare clone of a single branch, kept under [Config.MirrorDir], disposable at any time.
//
// The protocol with the server is spoken here (version 2, and version 0 for older
// servers) over net/http and x/crypto/ssh. Packs are indexed as they arrive, and objects read from
// them, within fixed bounds of memory, whatever they unpack to; go-git knows the formats.
//
// Errors carry a code ([Code]) and a kind ([KindOf]) that says what the caller should
// do: try again later, record the commit as bad, or ask an operator.
package gitsync
