# Makes tests/data/double_double.tsv: function, argument(s), value as high + low, at 300 bits.
from mpmath import mp, mpf, sin, pi, power, log
import random
mp.prec=400; random.seed(20261124)
def dd(x):
    h=float(x); return h, float(x-mpf(h))
rows=[]
def add(name,a,b,t):
    h,l=dd(t); rows.append(f"{name}\t{a!r}\t{b!r}\t{h!r}\t{l!r}")
for _ in range(150):
    x=random.random(); 
    add('exp2',y:=(random.random()-.5)*1800,0.0,mpf(2)**mpf(y))
    add('exp2_m1',y:=(random.random()-.5)*10**random.uniform(-12,0),0.0,mpf(2)**mpf(y)-1)
    add('log2',y:=10**random.uniform(-300,300),0.0,log(mpf(y),2))
    add('log2',y:=1+(random.random()-.5)*10**random.uniform(-15,0),0.0,log(mpf(y),2))
    add('log2_1p',y:=(random.random()*1.4-.45)*10**random.uniform(-15,0),0.0,log(1+mpf(y),2))
    add('sin_half_pi',y:=x*10**random.choice([0,0,-3,-9]),0.0,sin(pi/2*mpf(y)))
    add('sqrt',y:=10**random.uniform(-200,200),0.0,mp.sqrt(mpf(y)))
    a,b=10**random.uniform(-20,3),random.uniform(-12,12)
    add('powf',a,b,power(mpf(a),mpf(b)))
    a,b=random.uniform(-1,1),random.uniform(-1,1)*10**random.uniform(-20,20)
    add('divide',a,b,mpf(a)/mpf(b)); add('multiply',a,b,mpf(a)*mpf(b)); add('add',a,b,mpf(a)+mpf(b))
print("\n".join(rows))
