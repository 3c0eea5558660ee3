package gc;

import harness.RandomSource;

/** A syntax tree: one type a kind of expression. */
interface Expression {
  int VARIABLES = 8;
  int FUNCTIONS = 4;

  long evaluate(long[] variables);

  /** Returns a new tree of the same value, its constants folded. */
  Expression rewrite();

  long size();

  static Expression build(RandomSource random, int depth) {
    if (depth == 0 || random.below(8) == 0) {
      return random.below(2) == 0 ? new Constant(random.below(1000)) : new Variable(random.below(VARIABLES));
    }
    switch (random.below(6)) {
      case 0:
        return new Negation(build(random, depth - 1));
      case 1, 2:
        return new Binary(random.below(3), build(random, depth - 1), build(random, depth - 1));
      case 3:
        return new Conditional(build(random, depth - 1), build(random, depth - 1), build(random, depth - 1));
      case 4:
        int function = random.below(FUNCTIONS);
        Expression[] arguments = new Expression[1 + random.below(3)];
        for (int i = 0; i < arguments.length; ++i) arguments[i] = build(random, depth - 1);
        return new Call(function, arguments);
      default:
        return new Let(random.below(VARIABLES), build(random, depth - 1), build(random, depth - 1));
    }
  }

  record Constant(long value) implements Expression {
    @Override
    public long evaluate(long[] variables) {
      return value;
    }

    @Override
    public Expression rewrite() {
      return new Constant(value);
    }

    @Override
    public long size() {
      return 1;
    }
  }

  record Variable(int index) implements Expression {
    @Override
    public long evaluate(long[] variables) {
      return variables[index];
    }

    @Override
    public Expression rewrite() {
      return new Variable(index);
    }

    @Override
    public long size() {
      return 1;
    }
  }

  record Negation(Expression operand) implements Expression {
    @Override
    public long evaluate(long[] variables) {
      return -operand.evaluate(variables);
    }

    @Override
    public Expression rewrite() {
      Expression folded = operand.rewrite();
      return folded instanceof Constant known ? new Constant(-known.value) : new Negation(folded);
    }

    @Override
    public long size() {
      return 1 + operand.size();
    }
  }

  record Binary(int operator, Expression left, Expression right) implements Expression {
    private static long apply(int operator, long left, long right) {
      return switch (operator) {
        case 0 -> left + right;
        case 1 -> left - right;
        default -> left * right;
      };
    }

    @Override
    public long evaluate(long[] variables) {
      return apply(operator, left.evaluate(variables), right.evaluate(variables));
    }

    @Override
    public Expression rewrite() {
      Expression l = left.rewrite();
      Expression r = right.rewrite();
      if (l instanceof Constant a && r instanceof Constant b) return new Constant(apply(operator, a.value, b.value));
      return new Binary(operator, l, r);
    }

    @Override
    public long size() {
      return 1 + left.size() + right.size();
    }
  }

  record Conditional(Expression test, Expression then, Expression otherwise) implements Expression {
    @Override
    public long evaluate(long[] variables) {
      return ((test.evaluate(variables) & 1) == 1 ? then : otherwise).evaluate(variables);
    }

    @Override
    public Expression rewrite() {
      Expression newTest = test.rewrite();
      Expression newThen = then.rewrite();
      Expression newOtherwise = otherwise.rewrite();
      if (newTest instanceof Constant known) return (known.value & 1) == 1 ? newThen : newOtherwise;
      return new Conditional(newTest, newThen, newOtherwise);
    }

    @Override
    public long size() {
      return 1 + test.size() + then.size() + otherwise.size();
    }
  }

  record Call(int function, Expression[] arguments) implements Expression {
    private long apply(long result, long argument) {
      return switch (function) {
        case 0 -> result + argument;
        case 1 -> result * argument;
        case 2 -> result ^ argument;
        default -> Long.compareUnsigned(result, argument) > 0 ? result : argument;
      };
    }

    @Override
    public long evaluate(long[] variables) {
      long result = arguments[0].evaluate(variables);
      for (int i = 1; i < arguments.length; ++i) result = apply(result, arguments[i].evaluate(variables));
      return result;
    }

    @Override
    public Expression rewrite() {
      Expression[] fresh = new Expression[arguments.length];
      boolean known = true;
      for (int i = 0; i < fresh.length; ++i) {
        fresh[i] = arguments[i].rewrite();
        known &= fresh[i] instanceof Constant;
      }
      Call call = new Call(function, fresh);
      return known ? new Constant(call.evaluate(null)) : call;
    }

    @Override
    public long size() {
      long sum = 1;
      for (Expression each : arguments) sum += each.size();
      return sum;
    }
  }

  record Let(int variable, Expression value, Expression body) implements Expression {
    @Override
    public long evaluate(long[] variables) {
      long bound = value.evaluate(variables);
      long outer = variables[variable];
      variables[variable] = bound;
      long result = body.evaluate(variables);
      variables[variable] = outer;
      return result;
    }

    @Override
    public Expression rewrite() {
      return new Let(variable, value.rewrite(), body.rewrite());
    }

    @Override
    public long size() {
      return 1 + value.size() + body.size();
    }
  }
}
