// SPDX-License-Identifier: GPL-2.0-only
// The same as pools_app.py on Tomcat: java -cp TOMCAT pools_tomcat.java PORT LOG DIRECTORY
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.FileWriter;
import java.io.IOException;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;

public class pools_tomcat {
	public static void main(String[] args) throws Exception {
		Tomcat tomcat = new Tomcat();
		FileWriter log = new FileWriter(args[1]);

		tomcat.setBaseDir(args[2]);
		tomcat.setPort(Integer.parseInt(args[0]));
		tomcat.getConnector().setProperty("address", "127.0.0.1");
		tomcat.getConnector().setProperty("maxThreads", "2");
		tomcat.getConnector().setProperty("minSpareThreads", "2");
		Context context = tomcat.addContext("", args[2]);
		Tomcat.addServlet(context, "pages", new HttpServlet() {
			@Override
			protected void doGet(HttpServletRequest q, HttpServletResponse a) throws IOException {
				long taken = System.nanoTime();

				try {
					Thread.sleep(150);
				} catch (InterruptedException e) {
				}
				synchronized (log) {
					log.write(q.getRequestURI() + " " + taken + " " + System.nanoTime() + "\n");
					log.flush();
				}
				a.setContentLength(2);
				a.getOutputStream().write("ok".getBytes());
			}
		});
		context.addServletMappingDecoded("/", "pages");
		tomcat.start();
		tomcat.getServer().await();
	}
}
