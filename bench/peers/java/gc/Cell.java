package gc;

/** A link and a number. */
final class Cell {
  Cell next;
  final long number;

  Cell(Cell next, long number) {
    this.next = next;
    this.number = number;
  }
}
