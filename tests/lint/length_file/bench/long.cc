@repeat 501 int x;
