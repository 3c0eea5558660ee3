/* One collection cycle, as gc/ does it, without stopping the world; small enough to look at every interleaving.

   Two mutators, a worker (the collector's own marking, and all helpers) and the collector; three objects with one field each.
   Every step between two semicolons outside of `atomic` may be interleaved with everything else. Memory is sequentially
   consistent here: what the hardware reorders is for tests/litmus.

   How the engine is told in it
     candidates      `queue` is a set of pointers that may be marked already; who takes one marks it, and then reads its field.
                     It gives only while `taking`: from the end of SETTLE until marking has ended (work.h: open, closed).
     barrier         a store is two steps, and nothing is answered between: read the old value and record; write. A buffer may be
                     full after any record (OVERFLOW); then its unmarked entries are queued at once.
     flush           a round is clean if no answer held grey (an unmarked entry, or a contribution since the last answer), nothing
                     was published since the question, and the queue is empty. A clean round ends marking.
     sweep           an object is a span. A sweep begins for all lists before FINISH is asked, and for a mutator when it answers:
                     until then it is given no span to sweep, and what it lists is unswept.
     weak load       reads the reference; then looks at mark and verdict; and reads it again before it returns it.
     persistent      a root slot with the barrier of a field; the finalizer queue, `ready`, is another.
     blocking        the collector answers for the mutator; who leaves waits for that.
     attach          a mutator comes and goes; it is as if it had answered the last question.

   An error is a lost object: a mutator gets a pointer to what was swept, what is held is swept, or marking ends while
   something that can be reached has no mark. A THEOREM is what the engine relies on; with LOST_ONLY it is not looked at.

   Switches
     OPS=n           loads, stores, allocations and weak loads of both mutators together; letting go of a handle, assisting,
                     blocking, attaching are free
     CYCLES=n        1 unless said
     WIDE            starts from all heaps of objects 0 and 1 and all handles of the second mutator, not from three
     CHAIN           starts with object 2 as well, held by 1
     WEAK PERSISTENT OVERFLOW ASSIST FINALIZER BLOCKING ATTACH   without these the model does not have them
     LOST_ONLY       see above
   and the planted faults, one for each rule:
     NO_INSERTION NO_DELETION ALLOC_WHITE BLACK_TOO_EARLY NO_SETTLE MARK_BEFORE_SETTLE ONE_ROUND ROUND_IGNORES_PUBLISHED
     OVERFLOW_FORGETS_FOUND ASSIST_FORGETS_FOUND RESET_AFTER_EMPTY WEAK_IGNORES_CLOSING WEAK_CLEARED_LATE
     WEAK_NEVER_CLEARED_VERDICT WEAK_READ_ONCE RESURRECT_BEFORE_WEAK_CLEAR RESURRECT_BEFORE_FLUSH RESURRECT_WITHOUT_FLUSH
     TURN_OUTLIVES_TAKING PERSISTENT_WITHOUT_BARRIER REFILL_BEFORE_HANDSHAKE SWEEP_AFTER_QUESTION LEAVE_WITHOUT_WAITING

   What was searched, and no error found (`check --full`; every state was kept)

                                        million states   CPU s
     OPS=5                                        29.6     114
     OPS=4 WIDE CHAIN                             16.3      59
     OPS=4 PERSISTENT                             18.2      64
     OPS=4 ATTACH                                 13.9      52
     OPS=4 OVERFLOW CHAIN                         14.2      49
     OPS=4 WEAK CHAIN                              9.3      29
     OPS=4 FINALIZER WEAK CHAIN                    9.6      30
     OPS=3 FINALIZER ASSIST WEAK CHAIN            20.8      68
     OPS=3 ASSIST OVERFLOW CHAIN                  32.4     105
     OPS=3 BLOCKING                                7.2      22
     OPS=3 CYCLES=2 CHAIN                          2.8       8
   and with two bits kept of each state, in 16 thousand million:
     OPS=5 OVERFLOW CHAIN                           77.3     212
     OPS=2 and all switches, CHAIN                35.3      82

   `check` alone: 13 smaller ones, 26 million states in all, and 23 faults, each found within 1.7 million; 116 CPU s.
*/
#ifndef CYCLES
#define CYCLES 1
#endif
#ifndef OPS
#define OPS 4
#endif

/* Objects are 0, 1 and 2, with one field each; sets of them are bits of a byte. GLOBAL is the slot of the persistent
   handle: it is written and read as a field is. */
#define OBJECTS 3
#define GLOBAL OBJECTS
#define NIL 7
#define ALL 7
#define SET(x) ((1 << (x)) & ALL) /* of NIL: the empty set */
#define IN(x, set) ((set) & SET(x))
#define UNMARKED(set) ((set) & ~marked & ALL)

#define NOTHING 0 /* the questions of a handshake */
#define BARRIER_ON 1
#define SETTLE 2
#define SCAN 3
#define FLUSH 4
#define FINISH 5

/* What the planted faults break. */
#ifdef BLACK_TOO_EARLY
#define ALLOCATES_BLACK(m) barrier[m]
#else
#define ALLOCATES_BLACK(m) black[m]
#endif
#ifdef REFILL_BEFORE_HANDSHAKE
#define KNOWS_SWEEP(m) true
#else
#define KNOWS_SWEEP(m) (knows[m] == sweeping)
#endif
#ifdef PERSISTENT_WITHOUT_BARRIER
#define HAS_BARRIER(slot) (slot != GLOBAL)
#else
#define HAS_BARRIER(slot) true
#endif
#ifdef LEAVE_WITHOUT_WAITING
#define MAY_LEAVE(m) (blocked[m] != 0)
#else
#define MAY_LEAVE(m) (blocked[m] == 1)
#endif
#ifdef ROUND_IGNORES_PUBLISHED
#define ROUND_IS_CLEAN (!found && queue == 0)
#else
#define ROUND_IS_CLEAN (!found && !published && queue == 0)
#endif
#ifdef LOST_ONLY /* nothing but a lost object counts as an error */
#define THEOREM(x) skip
#else
#define THEOREM(x) assert(x)
#endif

byte field[OBJECTS + 1];
byte live;    /* allocated, and not swept */
byte marked;
byte unswept; /* in spans that this cycle has yet to sweep; an object is a span here */

byte queue;   /* candidates that anybody may take */
byte hand = NIL; /* what the worker has taken, marked and not yet scanned */
bit taking;   /* the queue gives */
bit found;    /* somebody's answer to FLUSH held grey */
bit published; /* somebody has queued candidates since FLUSH was asked, not as an answer */
mtype = { open, closing, decided, cleared };
mtype verdict = open; /* about weak references to unmarked objects */

byte held[2];      /* by each mutator's handles */
byte buffer[2];    /* recorded by its barrier */
byte asked[2];     /* the question it has not answered */
bit barrier[2];
bit black[2];
bit contributed[2]; /* it has queued candidates or assisted since its last answer to FLUSH */
byte blocked[2];   /* 0: running, 1: in a blocking region, 2: and the collector answers for it */
bit away[2];       /* detached */
bit knows[2];      /* of this cycle's sweep: it has answered FINISH */
bit sweeping;      /* the sweep has begun: what is listed is unswept */

byte weak = NIL;   /* the weak reference */
byte ready = NIL;  /* the object whose finalizer is to be run */
bit armed;         /* object 0 has a finalizer, which was not yet run */
byte stage = BARRIER_ON; /* the last question */
bit locked;        /* who attaches or detaches waits */
byte cycles, ops;
#define FIELDS(set) ((IN(0, set) -> SET(field[0]) : 0) | (IN(1, set) -> SET(field[1]) : 0) | (IN(2, set) -> SET(field[2]) : 0))
#define RUNNING (cycles < CYCLES)
#define MORE (ops < OPS && RUNNING)

/* Choices. */
inline pick(x, set) { if :: (set) & 1 -> x = 0 :: (set) & 2 -> x = 1 :: (set) & 4 -> x = 2 fi }
inline lowest(x, set) { d_step { if :: (set) & 1 -> x = 0 :: !((set) & 1) && (set) & 2 -> x = 1 :: (set) == 4 -> x = 2 fi } }

/* A mutator gets a pointer: to what was not swept and, once the verdict has fallen, to nothing that was found dead. */
inline get(m, x) {
  assert(x == NIL || IN(x, live));
  THEOREM(x == NIL || !taking || verdict == open || verdict == closing || IN(x, marked));
  held[m] = held[m] | SET(x)
}

/* What is marked counts for nothing in a buffer or in the queue: it is left out, for fewer states. */
inline mark(x) {
  d_step { marked = marked | SET(x); queue = queue & ~SET(x); buffer[0] = buffer[0] & ~SET(x); buffer[1] = buffer[1] & ~SET(x) }
}

/* The barrier. A buffer may be full after any record; then it is emptied at once, and nothing is answered. */
inline record(m, x) { buffer[m] = buffer[m] | (barrier[m] -> UNMARKED(SET(x)) : 0) }
inline perhaps_overflow(m) {
#ifdef OVERFLOW
  if
  :: true
  :: UNMARKED(buffer[m]) ->
     d_step {
#ifndef OVERFLOW_FORGETS_FOUND
       contributed[m] = 1;
#endif
       published = 1;
       queue = queue | UNMARKED(buffer[m]); buffer[m] = 0 }
  fi
#else
  skip
#endif
}
inline flush(m) {
  d_step {
    found = found || contributed[m] || UNMARKED(buffer[m]) != 0;
    queue = queue | UNMARKED(buffer[m]);
    buffer[m] = 0; contributed[m] = 0 }
}

/* By the mutator, or by the collector while that is in a blocking region. */
inline answer(m) {
  d_step {
    if
    :: asked[m] == BARRIER_ON -> barrier[m] = 1
    :: asked[m] == SETTLE -> skip
    :: asked[m] == SCAN -> queue = queue | UNMARKED(held[m]); black[m] = 1
    :: asked[m] == FLUSH -> flush(m)
    :: asked[m] == FINISH -> barrier[m] = 0; black[m] = 0; buffer[m] = 0; contributed[m] = 0; knows[m] = 1
    fi;
    asked[m] = NOTHING }
}

inline sweep(x) {
  d_step {
    if
    :: IN(x, live) && !IN(x, marked) ->
       assert(!IN(x, held[0] | held[1] | SET(field[GLOBAL]) | SET(ready) | SET(weak)));
       live = live & ~SET(x); field[x] = NIL
    :: else
    fi;
    marked = marked & ~SET(x); unswept = unswept & ~SET(x) }
}

/* From a fresh span, or from one that is swept for it. Who does not know of the sweep yet gets none of those, and what
   it lists is unswept. */
inline allocate(m, x) {
  if
  :: ALL & ~live & ~unswept -> lowest(x, ALL & ~live & ~unswept)
  :: unswept && KNOWS_SWEEP(m) -> pick(x, unswept); sweep(x)
  fi;
  d_step {
    if
    :: IN(x, live)
    :: !IN(x, live) ->
       live = live | SET(x); held[m] = held[m] | SET(x);
#ifndef ALLOC_WHITE
       marked = marked | (ALLOCATES_BLACK(m) -> SET(x) : 0);
#endif
       unswept = unswept | (KNOWS_SWEEP(m) -> 0 : SET(x))
    fi;
    x = NIL }
}

proctype mutator(byte m) {
  byte x = NIL, y = NIL;
end:
  do
  :: atomic { asked[m] != NOTHING -> answer(m) }
  :: atomic { held[m] && MORE -> ops++; pick(x, held[m]); get(m, field[x]); x = NIL } /* load */
  :: atomic { held[m] && RUNNING -> pick(x, held[m]); held[m] = held[m] & ~SET(x); x = NIL } /* let go */
  :: atomic { !away[m] && ((ALL & ~live & ~unswept) || (unswept && KNOWS_SWEEP(m))) && MORE -> ops++; allocate(m, x) }
  /* Store: what the slot holds is read and recorded; and then it is overwritten. Nothing is answered between. */
#ifdef PERSISTENT
  :: atomic { !away[m] && field[GLOBAL] != NIL && MORE -> ops++; get(m, field[GLOBAL]) }
  :: atomic { !away[m] && MORE -> ops++; if :: x = GLOBAL :: held[m] -> pick(x, held[m]) fi;
#else
  :: atomic { held[m] && MORE -> ops++; pick(x, held[m]);
#endif
       if :: y = NIL :: held[m] -> pick(y, held[m]) fi;
       assert(field[x] == NIL || IN(field[x], live));
#ifndef NO_DELETION
       if :: HAS_BARRIER(x) -> record(m, field[x]) :: else fi;
#endif
#ifndef NO_INSERTION
       if :: HAS_BARRIER(x) && !black[m] -> record(m, y) :: else fi;
#endif
       perhaps_overflow(m) };
     atomic { field[x] = y; x = NIL; y = NIL }
#ifdef WEAK
  :: atomic { weak != NIL && !away[m] && MORE -> ops++; x = weak };
     atomic {
       if
       :: !barrier[m] || IN(x, marked) -> get(m, x)
       :: barrier[m] && !IN(x, marked) && verdict == cleared ->
#ifndef WEAK_READ_ONCE
          x = weak; /* again: sweeping clears marks from now on, and it may have been cleared since it was read */
#endif
          get(m, x)
#ifdef WEAK_IGNORES_CLOSING
       :: else -> record(m, x); get(m, x); perhaps_overflow(m)
#else
       :: barrier[m] && !IN(x, marked) && verdict == open -> record(m, x); get(m, x); perhaps_overflow(m)
       :: barrier[m] && !IN(x, marked) && verdict == closing /* waits: it may answer, and looks again */
       :: barrier[m] && !IN(x, marked) && verdict == decided -> THEOREM(taking || x != weak) /* null, and rightly so */
#endif
       fi;
       x = NIL }
#endif
#ifdef FINALIZER
  :: atomic { ready != NIL && !away[m] && MORE -> ops++; get(m, ready); record(m, ready); ready = NIL; perhaps_overflow(m) }
#endif
#ifdef ASSIST
  :: do /* takes and scans candidates; nothing is answered before it ends */
     :: atomic { taking && queue && RUNNING -> pick(x, queue); queue = queue & ~SET(x); assert(IN(x, live));
#ifndef ASSIST_FORGETS_FOUND
          contributed[m] = 1;
#endif
          skip };
        atomic { if :: IN(x, marked) -> x = NIL :: else -> mark(x); x = field[x] fi };
        atomic { queue = queue | UNMARKED(SET(x)); x = NIL }
     :: break
     od
#endif
#ifdef BLOCKING
  :: atomic { !away[m] && RUNNING -> blocked[m] = 1 };
end_blocked:
     atomic { MAY_LEAVE(m) -> blocked[m] = 0 }
#endif
#ifdef ATTACH
  :: atomic { !away[m] && asked[m] == NOTHING && !locked && RUNNING ->
       held[m] = 0; flush(m); barrier[m] = 0; black[m] = 0; away[m] = 1 };
end_away:
     atomic { !locked && RUNNING -> away[m] = 0;
       barrier[m] = (stage != FINISH); black[m] = (stage == SCAN || stage == FLUSH); knows[m] = sweeping }
#endif
  od
}

/* Takes a candidate and marks it; then reads its field. */
proctype worker() {
end:
  do
#ifdef TURN_OUTLIVES_TAKING
  :: taking;
end_turn:
     atomic { queue -> pick(hand, queue);
#else
  :: atomic { taking && queue -> pick(hand, queue);
#endif
       queue = queue & ~SET(hand); assert(IN(hand, live));
       if :: IN(hand, marked) -> hand = NIL :: else -> mark(hand) fi };
     atomic { if :: hand != NIL -> queue = queue | UNMARKED(SET(field[hand])); hand = NIL :: else fi }
  od
}

inline ask(question) {
  d_step {
    stage = question;
    if :: !away[0] -> asked[0] = question :: else fi;
    if :: !away[1] -> asked[1] = question :: else fi }
}
inline wait_for_answers() {
  do
  :: atomic { asked[0] == NOTHING && asked[1] == NOTHING -> break }
#ifdef BLOCKING
  :: atomic { asked[0] != NOTHING && blocked[0] == 1 -> blocked[0] = 2 }; atomic { answer(0); blocked[0] = 1 }
  :: atomic { asked[1] != NOTHING && blocked[1] == 1 -> blocked[1] = 2 }; atomic { answer(1); blocked[1] = 1 }
#endif
  od
}
/* When marking ends, what any mutator can reach is marked. */
inline nothing_is_lost() {
  d_step {
    x = held[0] | held[1] | SET(field[GLOBAL]) | SET(ready);
    x = x | FIELDS(x); x = x | FIELDS(x);
    assert(!UNMARKED(x));
    x = NIL }
}
inline flush_all() { atomic { published = 0; ask(FLUSH) }; wait_for_answers() }
inline clear_weak() { if :: weak != NIL && !IN(weak, marked) -> weak = NIL :: else fi }
/* What the dying object refers to is marked, and then itself; its finalizer may be run from then on. A weak load that
   read its reference before that was cleared ends before anything is marked; an assist, before marking has ended. */
inline resurrect() {
  if
  :: armed && IN(0, live) && !IN(0, marked) ->
#ifndef RESURRECT_BEFORE_FLUSH
     flush_all();
#endif
     atomic { queue = queue | UNMARKED(SET(field[0])) };
     do
     :: found = 0;
        queue == 0 && hand == NIL;
#ifdef RESURRECT_WITHOUT_FLUSH
        break
#else
        flush_all();
        if :: ROUND_IS_CLEAN -> break :: else fi
#endif
     od;
     atomic { found = 0; published = 0; if :: !IN(0, marked) -> armed = 0; mark(0); ready = 0 :: else fi }
  :: else
  fi
}

proctype collector() {
  byte x = NIL;
  do
  :: RUNNING ->
#ifdef MARK_BEFORE_SETTLE
     taking = 1;
#endif
     wait_for_answers(); /* to BARRIER_ON */
#ifndef NO_SETTLE
     ask(SETTLE); wait_for_answers();
#endif
     taking = 1;
     ask(SCAN); wait_for_answers();
     atomic { queue = queue | UNMARKED(SET(field[GLOBAL]) | SET(ready)) };
     do
     ::
#ifndef RESET_AFTER_EMPTY
        found = 0; /* before the queue is seen empty: who detaches with grey after that is not overlooked */
#endif
        queue == 0 && hand == NIL;
#ifdef RESET_AFTER_EMPTY
        found = 0;
#endif
        atomic { verdict = closing; published = 0; ask(FLUSH) };
        wait_for_answers();
#ifdef ONE_ROUND
        break
#else
        atomic {
          if
          :: ROUND_IS_CLEAN -> THEOREM(hand == NIL); break
          :: else -> verdict = open
          fi }
#endif
     od;
     atomic { verdict = decided; found = 0; published = 0; nothing_is_lost() };
#ifdef WEAK_CLEARED_LATE
     verdict = cleared;
#else
#ifdef RESURRECT_BEFORE_WEAK_CLEAR
     resurrect();
#endif
     atomic {
       clear_weak();
#ifndef WEAK_NEVER_CLEARED_VERDICT
       verdict = cleared
#endif
     };
#endif
#if defined(FINALIZER) && !defined(RESURRECT_BEFORE_WEAK_CLEAR)
     resurrect();
#endif
     atomic { taking = 0; locked = 1 };
#ifdef SWEEP_AFTER_QUESTION
     ask(FINISH);
     atomic { sweeping = 1; unswept = live; locked = 0 };
#else
     atomic { sweeping = 1; unswept = live };
     atomic { ask(FINISH); locked = 0 };
#endif
     wait_for_answers();
#ifdef WEAK_CLEARED_LATE
     atomic { clear_weak() };
#endif
     atomic { verdict = open; queue = 0 };
     do :: atomic { unswept -> lowest(x, unswept); sweep(x); x = NIL } :: atomic { !unswept -> break } od;
     atomic { THEOREM(!marked); sweeping = 0; knows[0] = 0; knows[1] = 0; cycles++; if :: RUNNING -> ask(BARRIER_ON) :: else fi }
  :: atomic { !RUNNING -> break }
  od
}

init { atomic {
  field[0] = 1; field[1] = NIL; field[2] = NIL; field[GLOBAL] = NIL; live = 3; held[0] = 1;
#ifdef WIDE
  if :: true :: field[0] = NIL fi;
#endif
#ifdef WEAK
  weak = 1;
#endif
#ifdef FINALIZER
  armed = 1;
#endif
#ifdef CHAIN
  live = 7; field[1] = 2;
#endif
  if :: held[1] = 0 :: held[1] = 1 :: held[1] = 2
#ifdef WIDE
  :: held[1] = 3
#endif
  fi;
  asked[0] = BARRIER_ON; asked[1] = BARRIER_ON;
  run mutator(0); run mutator(1); run worker(); run collector() } }
